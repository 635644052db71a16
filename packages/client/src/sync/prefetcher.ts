/**
 * Replica mode: brings every content that the visible tree names into the cache, right after the
 * record that names it was replayed (design C4). Only the last content of an object counts. Small ones
 * come many at a time, in content packs; large ones by themselves, a few at once.
 *
 * It remembers nothing durably: after a restart all files are looked at again, and what is here is
 * skipped by the cache.
 */

import {
  EMPTY_SHA256,
  MAX_INLINE_BYTES,
  MAX_PACK_RECNOS,
  type ChangeSet,
  type Oid,
  type Recno,
  type Sha256,
  type TreeObject,
} from "@izo/core";

import type { CacheExecutor } from "./cache-executor.ts";
import { RemoteProblemError, RemoteUnreachableError } from "./remote-error.ts";
import type { Remote } from "./remote.ts";

/** Fetches at once: enough to hide round trips, few enough to leave room for an open that waits. */
const PARALLEL = 4;

/** A pack brings all of its range, wanted or not: for fewer contents single requests are cheaper. */
const FEWEST_IN_PACK = 4;

interface Wanted {
  readonly oid: Oid;
  readonly sha256: Sha256;
}

/** Objects that want small contents of one range of the log. */
type Pack = Map<Sha256, Oid[]>;

export interface PrefetcherOptions {
  readonly remote: Remote;
  readonly cache: CacheExecutor;
  /** Head of the server's log, as far as it is known. */
  readonly headRecno: () => Recno;
  readonly onProblem: (error: unknown) => void;
}

export class Prefetcher {
  readonly #options: PrefetcherOptions;
  /** By object: a newer content takes the place of an older one that was not fetched yet. */
  readonly #large = new Map<Oid, Wanted>();
  /** By the number of the range of recnos that holds the content's CLOSE. */
  readonly #packs = new Map<number, Pack>();
  #running: Promise<void> | null = null;

  constructor(options: PrefetcherOptions) {
    this.#options = options;
  }

  /** Wants what the changed objects show now. */
  wantChanged({ objects }: ChangeSet): void {
    this.want(objects.flatMap(({ after }) => after ?? []));
  }

  /** Wants the contents of these objects, as far as they have any and it is not here. */
  want(objects: Iterable<TreeObject>): void {
    for (const { oid, sha256, sizeBytes, contentVersion } of objects) {
      // What has a local version is here already.
      if (sha256 === null || sha256 === EMPTY_SHA256 || typeof contentVersion !== "number")
        continue;
      if (this.#options.cache.hasContent(oid, sha256)) continue;
      if (sizeBytes > MAX_INLINE_BYTES || contentVersion === 0) {
        this.#large.set(oid, { oid, sha256 });
        continue;
      }
      const range = Math.floor((contentVersion - 1) / MAX_PACK_RECNOS);
      let pack = this.#packs.get(range);
      if (pack === undefined) this.#packs.set(range, (pack = new Map()));
      pack.set(sha256, [...(pack.get(sha256) ?? []), oid]);
    }
  }

  get isIdle(): boolean {
    return this.#large.size === 0 && this.#packs.size === 0;
  }

  /** Fetches what is wanted; what cannot be had without a connection stays wanted. */
  run(signal: AbortSignal): Promise<void> {
    this.#running ??= this.#fetchAll(signal).finally(() => (this.#running = null));
    return this.#running;
  }

  async #fetchAll(signal: AbortSignal): Promise<void> {
    while (!this.isIdle && !signal.aborted) {
      const range = this.#packs.keys().next().value;
      try {
        // oxlint-disable-next-line no-await-in-loop -- this is the loop that bounds what runs at once
        await (range === undefined ? this.#fetchLarge(signal) : this.#fetchRange(range, signal));
      } catch (error) {
        if (signal.aborted || error instanceof RemoteUnreachableError) return;
        this.#options.onProblem(error);
      }
    }
  }

  /** Fetches the small contents of one range of the log. */
  async #fetchRange(range: number, signal: AbortSignal): Promise<void> {
    const pack = this.#packs.get(range)!;
    if (pack.size >= FEWEST_IN_PACK) await this.#fetchPack(range, pack, signal);
    this.#packs.delete(range);
    // What the pack did not bring: few, or cut off the log meanwhile.
    for (const [sha256, oids] of pack) {
      for (const oid of oids) this.#large.set(oid, { oid, sha256 });
    }
  }

  async #fetchPack(range: number, pack: Pack, signal: AbortSignal): Promise<void> {
    const { remote, cache, headRecno } = this.#options;
    const after = range * MAX_PACK_RECNOS;
    const until = Math.min(after + MAX_PACK_RECNOS, headRecno());
    try {
      for await (const { sha256, bytes } of remote.fetchPack(
        after as Recno,
        until as Recno,
        signal,
      )) {
        for (const oid of pack.get(sha256) ?? []) cache.putContent(oid, sha256, bytes);
        pack.delete(sha256);
        if (pack.size === 0) return;
      }
    } catch (error) {
      // The log was cut off there: each content has to be asked for by itself.
      if (!(error instanceof RemoteProblemError)) throw error;
    }
  }

  async #fetchLarge(signal: AbortSignal): Promise<void> {
    const batch = [...this.#large.values()].slice(0, PARALLEL);
    const results = await Promise.allSettled(batch.map(({ oid }) => this.#fetchOne(oid, signal)));
    for (const [index, result] of results.entries()) {
      const { oid, sha256 } = batch[index]!;
      if (result.status === "rejected" && result.reason instanceof RemoteUnreachableError)
        throw result.reason;
      if (this.#large.get(oid)?.sha256 === sha256) this.#large.delete(oid);
      if (result.status === "rejected") this.#options.onProblem(result.reason);
    }
  }

  async #fetchOne(oid: Oid, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.cache.fetch(oid, signal);
    } catch (error) {
      // The record that replaced it is on its way, and brings the newest content with it.
      if (error instanceof RemoteProblemError && error.code === "content-superseded") return;
      throw error;
    }
  }
}
