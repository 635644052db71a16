/**
 * Brings contents into the cache that nobody has asked for yet: all of a replica, what is pinned, what
 * hoard rules match (design C4). What is wanted most comes first, and only as far as there is room. Only
 * the last content of an object counts. Small ones come many at a time, in content packs; large ones by
 * themselves, a few at once.
 *
 * It remembers nothing durably: after a restart all files are looked at again, and what is here is
 * skipped by the cache.
 */

import { EMPTY_SHA256, type ChangeSet, type Oid, type Recno, type TreeObject } from "@izo/core";

import { ErrnoError } from "../../fuse/errno.ts";
import type { Rank } from "../../keep/keep-rules.ts";
import type { CacheExecutor, SmallContent } from "../cache-executor.ts";
import {
  RemoteProblemError,
  RemoteProtocolError,
  RemoteUnreachableError,
} from "../remote-error.ts";
import type { Remote } from "../remote.ts";
import { type Pack, type Wanted, WantedContents } from "./wanted-contents.ts";

/** Fetches at once: enough to hide round trips, few enough to leave room for an open that waits. */
const PARALLEL = 4;

/** Packs at once: while the files of some are made, the server reads the next. With two it had to wait at each change. */
const PARALLEL_PACKS = 4;

/**
 * A pack brings all small contents of a part of the log, wanted or not: fewer contents than these, or a
 * smaller share of the records in between, are cheaper asked for one by one.
 */
const FEWEST_IN_PACK = 4;
const SMALLEST_SHARE_OF_PACK = 1 / 16;

/**
 * Contents of a pack that the cache gets together: it makes the files of a directory at once, and those with
 * their content of which it has it by then.
 */
const PUT_TOGETHER = 512;

/** More than those wait for the last of their directory. */
const MOST_TOGETHER = 2 * PUT_TOGETHER;
const PUT_TOGETHER_BYTES = 4 * 1024 * 1024;

/** Which contents are wanted, and whether there is room for them. */
export interface KeepPolicy {
  rankOf(oid: Oid): Rank | undefined;
  makeRoomFor(bytes: number, rank: Rank): Promise<boolean>;
}

export interface PrefetcherOptions {
  readonly remote: Remote;
  readonly cache: CacheExecutor;
  readonly keep: KeepPolicy;
  /** The object as programs see it. */
  readonly visible: (oid: Oid) => TreeObject | undefined;
  /** A directory that it is in. */
  readonly directoryOf: (oid: Oid) => Oid | undefined;
  readonly onProblem: (error: unknown) => void;
}

export class Prefetcher {
  readonly #options: PrefetcherOptions;
  /** Objects that show an own content which is not with them: to be fetched once the server has it. */
  readonly #waiting = new Set<Oid>();
  readonly #queues = new Map<Rank, WantedContents>();
  /** From this rank down nothing comes: there is no room. */
  #blockedRank: Rank = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | null = null;

  constructor(options: PrefetcherOptions) {
    this.#options = options;
  }

  /**
   * Wants what the changed objects show now, as far as it is to be kept. Called when the cache shows the
   * changes: only then is known what of it is here.
   */
  wantChanged({ objects, moves }: ChangeSet): void {
    const { visible } = this.#options;
    const oids = new Set(this.#waiting);
    this.#waiting.clear();
    for (const { oid } of objects) oids.add(oid);
    // The inode has gone to another object; what was left behind can look as it did before.
    for (const { from, to } of moves) oids.add(from).add(to);
    this.wantKept(Array.from(oids, visible).filter((object) => object !== undefined));
  }

  /** Wants those of the objects that are to be kept. */
  wantKept(objects: Iterable<TreeObject>): void {
    for (const object of objects) {
      const rank = object.kind === "file" ? this.#options.keep.rankOf(object.oid) : undefined;
      if (rank !== undefined) this.want(object, rank);
    }
  }

  /** Wants the content of an object, as far as it has any and it is not here. */
  want(object: TreeObject, rank: Rank): void {
    const { oid, sha256, contentVersion } = object;
    if (sha256 === EMPTY_SHA256) return;
    if (sha256 !== null && this.#options.cache.hasContent(oid, sha256)) return;
    if (sha256 === null || typeof contentVersion !== "number") {
      // Own content, perhaps in the inode of another object: only the server can tell where it stays.
      this.#waiting.add(oid);
      return;
    }
    let queue = this.#queues.get(rank);
    if (queue === undefined) this.#queues.set(rank, (queue = new WantedContents()));
    queue.add({ ...object, sha256 }, contentVersion);
  }

  /** Nothing is wanted any more, as when other things are to be kept. */
  clear(): void {
    this.#queues.clear();
    this.retryBlocked();
  }

  /** There may be room now for what had none. */
  retryBlocked(): void {
    this.#blockedRank = Number.NEGATIVE_INFINITY;
  }

  get isIdle(): boolean {
    return this.#queues.size === 0;
  }

  /** Something is being fetched. */
  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** Fetches what is wanted; what cannot be had without a connection stays wanted. */
  run(signal: AbortSignal): Promise<void> {
    this.#running ??= this.#fetchAll(signal).finally(() => (this.#running = null));
    return this.#running;
  }

  async #fetchAll(signal: AbortSignal): Promise<void> {
    for (let rank = this.#nextRank(); rank !== undefined; rank = this.#nextRank()) {
      if (signal.aborted) return;
      const queue = this.#queues.get(rank)!;
      try {
        // oxlint-disable-next-line no-await-in-loop -- this is the loop that bounds what runs at once
        const hasRoom = await this.#fetchSome(queue, rank, signal);
        if (!hasRoom) this.#blockedRank = rank;
      } catch (error) {
        if (signal.aborted || isAway(error)) return;
        this.#options.onProblem(error);
        // Nothing is tried in a row that fails here, as on a full disk.
        this.#blockedRank = rank;
      }
      if (queue.isEmpty) this.#queues.delete(rank);
    }
  }

  #nextRank(): Rank | undefined {
    let next: Rank | undefined;
    for (const rank of this.#queues.keys()) {
      if (rank > this.#blockedRank && (next === undefined || rank > next)) next = rank;
    }
    return next;
  }

  /** @returns false where there is no room for what comes next */
  async #fetchSome(queue: WantedContents, rank: Rank, signal: AbortSignal): Promise<boolean> {
    const { keep } = this.#options;
    if (queue.hasPacks) return this.#fetchPacks(queue, rank, signal);
    const batch = queue.nextSingles(PARALLEL);
    if (!(await keep.makeRoomFor(sizeOf(batch), rank))) return false;
    await this.#fetchSingles(batch, queue, signal);
    return true;
  }

  /** Some at a time, the next as soon as one is here; until something is wanted more. As {@link #fetchSome}. */
  async #fetchPacks(queue: WantedContents, rank: Rank, signal: AbortSignal): Promise<boolean> {
    const { keep } = this.#options;
    const underWay = new Map<number, Pack>();
    let isBlocked = false;
    const fetchNext = async (): Promise<boolean> => {
      const next = queue.nextPack(underWay);
      if (next === undefined || isBlocked || signal.aborted || this.#nextRank() !== rank)
        return false;
      const [range, pack] = next;
      underWay.set(range, pack);
      try {
        const wanted = [...underWay.values()].flatMap((each) => [...each.values()].flat());
        if (!(await keep.makeRoomFor(sizeOf(wanted), rank))) {
          // There may be room once the others are here.
          isBlocked = underWay.size === 1;
          return false;
        }
        if (isWorthPack(pack)) await this.#fetchPack(pack, signal);
        queue.removePack(range);
        // What the pack did not bring: few, or cut off the log meanwhile.
        for (const each of [...pack.values()].flat()) queue.addSingle(each);
        return true;
      } catch (error) {
        isBlocked = true;
        throw error;
      } finally {
        underWay.delete(range);
      }
    };
    const lanes = Array.from({ length: PARALLEL_PACKS }, async () => {
      // oxlint-disable-next-line no-await-in-loop -- one after the other in each of them
      while (await fetchNext());
    });
    for (const lane of await Promise.allSettled(lanes))
      if (lane.status === "rejected") throw lane.reason;
    return !isBlocked;
  }

  async #fetchPack(pack: Pack, signal: AbortSignal): Promise<void> {
    const { remote, cache, directoryOf } = this.#options;
    const { first, last } = spanOf(pack);
    const missing = new Set(pack.keys());
    let arrived: SmallContent[] = [];
    let arrivedBytes = 0;
    const put = async (): Promise<void> => {
      if (arrived.length === 0) return;
      const contents = arrived;
      arrived = [];
      arrivedBytes = 0;
      await cache.putContents(contents);
      for (const { sha256 } of contents) pack.delete(sha256);
    };
    try {
      const contents = remote.fetchPack((first - 1) as Recno, last, signal);
      let directory: Oid | undefined;
      for await (const { sha256, bytes } of contents) {
        const wanted = pack.get(sha256) ?? [];
        if (arrivedBytes >= PUT_TOGETHER_BYTES || arrived.length >= MOST_TOGETHER) await put();
        else if (arrived.length >= PUT_TOGETHER) {
          directory ??= directoryOf(arrived.at(-1)!.oid);
          const next = wanted[0] && directoryOf(wanted[0].oid);
          if (next !== directory) await put();
        }
        if (arrived.length === 0) directory = undefined;
        for (const { oid } of wanted) arrived.push({ oid, sha256, bytes });
        arrivedBytes += bytes.length;
        missing.delete(sha256);
        if (missing.size === 0) break;
      }
      await put();
    } catch (error) {
      // What came before is good. Where it could not be put, it is gone from here.
      await put();
      // The log was cut off there: each content has to be asked for by itself. And a pack that is wrong,
      // in a cache in between as well, must not keep a replica from ever being complete.
      if (error instanceof RemoteProtocolError) this.#options.onProblem(error);
      else if (!(error instanceof RemoteProblemError)) throw error;
    }
  }

  async #fetchSingles(
    batch: readonly Wanted[],
    queue: WantedContents,
    signal: AbortSignal,
  ): Promise<void> {
    const results = await Promise.allSettled(batch.map((wanted) => this.#fetchOne(wanted, signal)));
    for (const [index, result] of results.entries()) {
      if (result.status === "rejected" && isAway(result.reason)) throw result.reason;
      queue.removeSingle(batch[index]!);
      if (result.status === "rejected") this.#options.onProblem(result.reason);
    }
  }

  async #fetchOne({ oid, sha256 }: Wanted, signal: AbortSignal): Promise<void> {
    if (this.#options.cache.hasContent(oid, sha256)) return;
    try {
      await this.#options.cache.fetch(oid, signal);
    } catch (error) {
      // The record that replaced it is on its way, and brings the newest content with it.
      if (error instanceof RemoteProblemError && error.code === "content-superseded") return;
      throw error;
    }
  }
}

/** What could not be had for want of a connection stays wanted. */
function isAway(error: unknown): boolean {
  const isUnreachable = error instanceof ErrnoError && error.code === "EHOSTUNREACH";
  return isUnreachable || error instanceof RemoteUnreachableError;
}

function sizeOf(wanted: readonly Wanted[]): number {
  return wanted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function isWorthPack(pack: Pack): boolean {
  const { first, last } = spanOf(pack);
  return pack.size >= FEWEST_IN_PACK && pack.size >= (last - first + 1) * SMALLEST_SHARE_OF_PACK;
}

/** The first and the last record that name a content of the pack. */
function spanOf(pack: Pack): { first: Recno; last: Recno } {
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  for (const { recno } of [...pack.values()].flat()) {
    first = Math.min(first, recno);
    last = Math.max(last, recno);
  }
  return { first: first as Recno, last: last as Recno };
}
