/**
 * Fetches that a program waits for, in open(2), truncate(2), or a read of content that is arriving. Where the server cannot be reached the
 * policy of the mount decides: the program is told so at once, or waits until the server is back
 * (design C8). Nothing here is durable, and a waiting program holds up no other one.
 */
import { setTimeout as delay } from "node:timers/promises";

import type { Oid } from "@izo/core";

import type { Arrival } from "../cache/arriving/arrival.ts";
import type { ContentFetcher } from "../cache/content/fetch.ts";
import { ErrnoError } from "../fuse/errno.ts";
import type { OfflinePolicy } from "../settings/mount-settings.ts";
import { Waiters } from "../sync/waiters.ts";

/**
 * Half of the requests that the driver takes at once: were all of them to wait, no other program would
 * be answered. Who comes beyond that is told at once that the server is away.
 */
export const MOST_WAITING = 32;

/** The connection stands, and this one content could not be had: it is asked for again after this. */
const RETRY_MS = 1_000;

export interface ProgramFetchesOptions {
  readonly fetcher: Pick<ContentFetcher, "fetch" | "arrive" | "whenHere" | "closeReader">;
  readonly isServerThere: () => boolean;
  /** Ends all waits: the mount is going away. */
  readonly signal: AbortSignal;
}

export class ProgramFetches {
  readonly #options: ProgramFetchesOptions;
  readonly #waiters = new Waiters();
  #policy: OfflinePolicy = "fail";
  #waiting = 0;

  constructor(options: ProgramFetchesOptions) {
    this.#options = options;
  }

  /** How many programs wait for the server now. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Counts for those who wait already, too. */
  setPolicy(policy: OfflinePolicy): void {
    this.#policy = policy;
    this.#waiters.check();
  }

  /** The connection has another state: the server may be there again. */
  noteConnection(): void {
    this.#waiters.check();
  }

  /** As `ContentFetcher.fetch`. @throws ErrnoError EHOSTUNREACH where the program shall not wait */
  fetch(oid: Oid): Promise<void> {
    return this.#patiently(() => this.#options.fetcher.fetch(oid, true), this.#options.signal);
  }

  /** As `ContentFetcher.arrive`; throws as {@link fetch}. */
  arrive(oid: Oid): Promise<Arrival | undefined> {
    return this.#patiently(() => this.#options.fetcher.arrive(oid), this.#options.signal);
  }

  /** As `ContentFetcher.whenHere`; throws as {@link fetch}. @param reading ends when the reader is gone */
  whenHere(
    arrival: Arrival,
    range: { oid: Oid; start: number; end: number },
    reading: AbortSignal,
  ): Promise<void> {
    const work = (): Promise<void> => this.#options.fetcher.whenHere(arrival, range, reading);
    return this.#patiently(work, AbortSignal.any([this.#options.signal, reading]));
  }

  /** As `ContentFetcher.closeReader`. */
  closeReader(oid: Oid, arrival: Arrival): void {
    this.#options.fetcher.closeReader(oid, arrival);
  }

  async #patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- each attempt follows a failed one
        return await work();
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.code !== "EHOSTUNREACH") throw error;
        // oxlint-disable-next-line no-await-in-loop
        if (!(await this.#waitForServer(signal))) throw error;
      }
    }
  }

  /** Whether it is worth another attempt. */
  async #waitForServer(signal: AbortSignal): Promise<boolean> {
    const { isServerThere } = this.#options;
    if (this.#policy === "fail" || this.#waiting >= MOST_WAITING) return false;
    this.#waiting += 1;
    try {
      if (isServerThere()) await delay(RETRY_MS, undefined, { signal });
      else await this.#waiters.until(() => this.#policy === "fail" || isServerThere(), signal);
      return this.#policy === "wait";
    } catch {
      // The mount is going away, or who waited is.
      return false;
    } finally {
      this.#waiting -= 1;
    }
  }
}
