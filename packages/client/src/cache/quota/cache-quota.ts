/**
 * Keeps the cache below its quota: what nobody has asked to keep goes first, then what hoard rules keep,
 * by rank, and of equal ones what was used longest ago. Pinned content never goes, nor what
 * `evictContent` refuses. The quota bounds what is kept, not what programs do: what they open and write
 * has its place, and others leave for it afterwards.
 *
 * It knows nothing durably but the last uses; a crash costs a measuring.
 */
import { setTimeout as delay } from "node:timers/promises";

import type { Oid } from "@izo/core";

import { PINNED, type Rank } from "../../keep/keep-rules.ts";
import type { InodeForm } from "../inode/inode-form.ts";
import { cachedFiles } from "./cached-files.ts";
import type { LastUses } from "./last-uses.ts";

/** Room is made down to this share of the quota, so that not every file that comes has another one leave. */
const LOW_WATER = 0.9;

/** How long after a change the cache is measured, unless stated otherwise: changes come in rows. */
const SETTLE_MS = 2_000;

export interface CacheQuotaOptions {
  /** `tree/` of the cache. */
  readonly treePath: string;
  readonly form: InodeForm;
  readonly lastUses: LastUses;
  readonly rankOf: (oid: Oid) => Rank | undefined;
  readonly evict: (oid: Oid) => Promise<boolean>;
  /** While there is none, what leaves could not come back: only a full disk is a reason then. */
  readonly isServerThere: () => boolean;
  readonly settleMs?: number;
  readonly onProblem: (path: string, error: unknown) => void;
  readonly signal: AbortSignal;
}

/** A full disk gets at least so much room: each write of a program would measure the cache otherwise. */
const RECLAIM_BYTES = 4 * 1024 * 1024;

/** How long a cache from which nothing could leave is believed to have nothing. */
const NOTHING_LEFT_MS = 2_000;

/** Below every rank that something is kept for. */
const NOT_KEPT: Rank = -1;

interface Candidate {
  readonly oid: Oid;
  readonly bytes: number;
  readonly rank: Rank;
  readonly usedMs: number;
}

export class CacheQuota {
  readonly #options: CacheQuotaOptions;
  #quotaBytes: number | null = null;
  /** As measured last, and what came since; undefined before the first measuring. */
  #usedBytes: number | undefined;
  /** One at a time: each decides by what the one before has left. */
  #running: Promise<unknown> = Promise.resolve();
  #isCheckDue = false;
  #nothingLeftUntilMs = 0;

  constructor(options: CacheQuotaOptions) {
    this.#options = options;
  }

  /** @param quotaBytes null for as much as the disk holds */
  setQuota(quotaBytes: number | null): void {
    this.#quotaBytes = quotaBytes;
    this.#usedBytes = undefined;
    this.check();
  }

  /** A content has come. */
  noteArrival(bytes: number): void {
    if (this.#usedBytes !== undefined) this.#usedBytes += bytes;
    this.check();
  }

  /** Soon measures the cache, and lets content leave where there is too much. */
  check(): void {
    if (this.#quotaBytes === null || this.#isCheckDue) return;
    this.#isCheckDue = true;
    void this.#checkSoon();
  }

  /**
   * Tells whether content of this rank may come without a program that asks for it: there is room, or less
   * wanted content has left for it. It fills the quota only so far that nothing has to leave again.
   */
  async makeRoomFor(bytes: number, rank: Rank): Promise<boolean> {
    if (this.#quotaBytes === null) return true;
    const limitBytes = this.#quotaBytes * LOW_WATER - bytes;
    if (limitBytes < 0) return false;
    if (this.#usedBytes === undefined || this.#usedBytes > limitBytes)
      await this.#inTurn(() => this.#shrink(() => limitBytes, rank));
    return this.#usedBytes !== undefined && this.#usedBytes <= limitBytes;
  }

  /**
   * The disk is full: lets content leave, whatever the quota. Where nothing could, the cache is not
   * measured again at once: a program that goes on writing to a full disk must not hold up the others.
   *
   * @returns whether any did
   */
  async reclaim(bytes: number): Promise<boolean> {
    if (performance.now() < this.#nothingLeftUntilMs) return false;
    const leastBytes = Math.max(bytes, RECLAIM_BYTES);
    const freed = await this.#inTurn(() => this.#shrink((used) => used - leastBytes, PINNED));
    if (freed === 0) this.#nothingLeftUntilMs = performance.now() + NOTHING_LEFT_MS;
    return freed > 0;
  }

  async #checkSoon(): Promise<void> {
    const { signal, isServerThere, onProblem, settleMs = SETTLE_MS } = this.#options;
    try {
      await delay(settleMs, undefined, { signal, ref: false });
      this.#isCheckDue = false;
      const quotaBytes = this.#quotaBytes;
      if (quotaBytes === null || !isServerThere()) return;
      await this.#inTurn(() =>
        this.#shrink((used) => (used > quotaBytes ? quotaBytes * LOW_WATER : used), PINNED),
      );
    } catch (error) {
      if (!signal.aborted) onProblem("/", error);
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#running.then(work);
    this.#running = turn.catch(() => {});
    return turn;
  }

  /**
   * Measures the cache, and lets content of a lower rank leave until no more is there than allowed.
   *
   * @returns how many bytes have left
   */
  async #shrink(limitOf: (usedBytes: number) => number, below: Rank): Promise<number> {
    const { usedBytes, candidates } = await this.#look(below);
    const limitBytes = limitOf(usedBytes);
    this.#usedBytes = usedBytes;
    let freed = 0;
    for (const { oid, bytes } of candidates) {
      if (usedBytes - freed <= limitBytes) break;
      // oxlint-disable-next-line no-await-in-loop -- one after another, until it is enough
      if (await this.#leave(oid)) freed += bytes;
    }
    this.#usedBytes -= freed;
    return freed;
  }

  async #leave(oid: Oid): Promise<boolean> {
    try {
      return await this.#options.evict(oid);
    } catch (error) {
      this.#options.onProblem(oid, error);
      return false;
    }
  }

  /** What there is, and what of it may leave, that first which is wanted least. */
  async #look(below: Rank): Promise<{ usedBytes: number; candidates: Candidate[] }> {
    const { treePath, form, rankOf, lastUses } = this.#options;
    const candidates: Candidate[] = [];
    let usedBytes = 0;
    for await (const { path, stat, bytes } of cachedFiles(treePath)) {
      usedBytes += bytes;
      const mark = bytes === 0 ? undefined : form.readMark(path);
      if (mark === undefined || mark.holding.state === "absent") continue;
      const { oid } = mark;
      const rank = rankOf(oid) ?? NOT_KEPT;
      const usedMs = lastUses.of(oid) ?? Number(stat.ctimeNs / 1_000_000n);
      if (rank < below) candidates.push({ oid, bytes, rank, usedMs });
    }
    candidates.sort((a, b) => a.rank - b.rank || a.usedMs - b.usedMs);
    return { usedBytes, candidates };
  }
}
