import { hash } from "node:crypto";

import type { Sha256 } from "@izo/core";
import { unlinkat } from "@izo/sys";

import { isFullDisk } from "../../log/is-full-disk.ts";
import type { Fileset } from "../fileset.ts";
import { isAbandoned, type StagedContent, stagedContents } from "./staged-contents.ts";

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
    for (const part of this.#list())
      if (isAbandoned(part, nowNs())) unlinkat(contentsFd, part.name);
  }

  /** Where an error says that the disk is full: drops the oldest. Tells whether there was one. */
  makeRoom(error: unknown): boolean {
    if (!isFullDisk(error)) return false;
    const [oldest] = this.#list().toSorted((a, b) => (a.stat.ctimeNs < b.stat.ctimeNs ? -1 : 1));
    if (oldest !== undefined) unlinkat(this.#place.contentsFd, oldest.name);
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

  #list(): StagedContent[] {
    const isIdle = (name: string): boolean => name.endsWith(PART) && !this.#isRunning(name);
    return stagedContents(this.#place.contentsFd, isIdle);
  }
}

/** The name under which an upload comes in. Names of senders may be anything, and long. */
export function partName(sha256: Sha256, sender: string | null): string {
  const whose = sender === null ? "" : `.${hash("sha256", sender).slice(0, 16)}`;
  return `${sha256}${whose}${PART}`;
}
