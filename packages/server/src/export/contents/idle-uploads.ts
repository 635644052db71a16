import { hash } from "node:crypto";
import { closeSync, constants } from "node:fs";

import type { Sha256 } from "@izo/core";
import { fstatat, openat, readDirectory, unlinkat } from "@izo/sys";

import { isFullDisk } from "../../log/is-full-disk.ts";
import type { Fileset } from "../fileset.ts";

/** Uploads that nobody has gone on with in this time were given up by their author. */
export const ABANDONED_MS = 7 * 24 * 3_600_000;

const PART = ".part";

type PartPlace = Pick<Fileset, "contentsFd" | "nowNs">;

/**
 * What has come of uploads that nobody is sending now. It is kept for the sender to go on with, as long as nothing
 * else needs its space: without it he begins anew, and no record counts on it.
 */
export class IdleUploads {
  readonly #place: PartPlace;
  readonly #isRunning: (part: string) => boolean;

  /** @param isRunning whether somebody is sending this part */
  constructor(place: PartPlace, isRunning: (part: string) => boolean) {
    this.#place = place;
    this.#isRunning = isRunning;
  }

  /** Drops those that were given up. */
  dropAbandoned(): void {
    const { contentsFd, nowNs } = this.#place;
    const sinceNs = nowNs() - BigInt(ABANDONED_MS) * 1_000_000n;
    for (const { part, ctimeNs } of this.#list()) if (ctimeNs < sinceNs) unlinkat(contentsFd, part);
  }

  /** Where an error says that the disk is full: drops the oldest. Tells whether there was one. */
  makeRoom(error: unknown): boolean {
    if (!isFullDisk(error)) return false;
    const [oldest] = this.#list().toSorted((a, b) => (a.ctimeNs < b.ctimeNs ? -1 : 1));
    if (oldest !== undefined) unlinkat(this.#place.contentsFd, oldest.part);
    return oldest !== undefined;
  }

  /** Does something once more after each that made room for it. */
  async withRoom<T>(job: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- until it has room, or there is none to be made
        return await job();
      } catch (error) {
        if (!this.makeRoom(error)) throw error;
      }
    }
  }

  #list(): { readonly part: string; readonly ctimeNs: bigint }[] {
    const { contentsFd } = this.#place;
    const fd = openat(contentsFd, ".", constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      return readDirectory(fd)
        .map(({ name }) => name.toString())
        .filter((part) => part.endsWith(PART) && !this.#isRunning(part))
        .map((part) => ({ part, ctimeNs: fstatat(contentsFd, part, { noFollow: true }).ctimeNs }));
    } finally {
      closeSync(fd);
    }
  }
}

/** The name under which an upload comes in. Names of senders may be anything, and long. */
export function partName(sha256: Sha256, sender: string | null): string {
  const whose = sender === null ? "" : `.${hash("sha256", sender).slice(0, 16)}`;
  return `${sha256}${whose}${PART}`;
}
