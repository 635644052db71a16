/**
 * Seals open CLOSEs off the hot path (design D9): files that nobody writes any more are hashed, made
 * durable, and their CLOSEs get hash, size and time. A CLOSE is sealed only when nobody could write to the
 * file from before the hash to its end; until then it holds back what depends on it and nothing else
 * (P3).
 *
 * A crash loses a hash, which is computed again.
 */

import { closeSync, constants, openSync } from "node:fs";

import { type ChangeSet, type Recno, retryDelayMs } from "@izo/core";

import type { CacheExecutor } from "../cache-executor.ts";
import { LeftRecords, type PushWait, pushWait } from "../push/push-waits.ts";
import type { LocalReplica } from "../replica/local-replica.ts";
import { FileHasher } from "./hash-file.ts";
import { HugeCloses } from "./huge-closes.ts";
import { sealClose, sealOpenCloses, type SealingOptions } from "./seal-open-closes.ts";

export interface SealerOptions {
  readonly replica: LocalReplica;
  readonly cache: CacheExecutor;
  /** Makes the cache show what sealing has changed in the visible tree. */
  readonly show: (changes: ChangeSet) => void;
  readonly random: () => number;
  readonly quiet: SealingOptions["quiet"];
  /** A file could not be read or synced; it is tried again. */
  readonly onProblem: (error: unknown) => void;
}

export class Sealer implements AsyncDisposable {
  readonly #options: SealerOptions;
  readonly #hasher = new FileHasher();
  /** With a thread of its own: one file can take hours there. */
  readonly #hugeHasher = new FileHasher();
  readonly #huge: HugeCloses;
  /** Opened before anything is written: a sync of the file system then tells of every failure since. */
  readonly #directory: number;
  readonly #recorded: Disposable;
  /** Rounds in a row that left something open. */
  #attempts = 0;
  /** The next look at what was left open. */
  #timer: NodeJS.Timeout | null = null;
  /** The next round, which is about to begin. */
  #soon: NodeJS.Immediate | null = null;
  #round: Promise<void> | null = null;
  /** Woken while a round was running, which may have gone past what is new. */
  #isStale = false;
  /** Somebody has woken it, and it has not looked at all since. */
  #looked: PromiseWithResolvers<void> | null = null;
  readonly #stop = new AbortController();
  /** What the last round has left, or the one that is going on; of huge files what was found since. */
  readonly #left = new LeftRecords<"written">();

  constructor(options: SealerOptions) {
    this.#options = options;
    const { cacheDir } = options.replica;
    this.#directory = openSync(cacheDir, constants.O_RDONLY | constants.O_DIRECTORY);
    this.#huge = new HugeCloses((close) =>
      sealClose(this.#sealing(this.#hugeHasher), close, this.#stop.signal),
    );
    this.#recorded = options.replica.onRecorded(({ kind }) => {
      if (kind === "recorded") this.wake();
    });
    this.wake();
  }

  /**
   * Looks at the open CLOSEs at once, when who asked for something has his answer: one was recorded, or a file lost
   * its last writer. What is recorded while it does so waits for the next round.
   */
  wake(): void {
    this.#attempts = 0;
    if (this.#stop.signal.aborted) return;
    this.#looked ??= Promise.withResolvers();
    if (this.#round !== null) this.#isStale = true;
    else this.#soon ??= setImmediate(() => this.#begin());
  }

  /**
   * Resolves when all that was recorded was looked at; what has a writer still is looked at again later, and what is
   * huge is sealed when it is hashed.
   */
  async settled(): Promise<void> {
    await this.#looked?.promise;
  }

  /** Why own CLOSEs have no hash: the first for each reason. */
  waits(): PushWait[] {
    const { replica } = this.#options;
    const written = this.#left.waits((recno) =>
      replica.isOpen(recno) ? replica.pending.unsentRecord(recno) : undefined,
    );
    const [first] = replica.unsealed();
    if (written.length > 0 || first === undefined) return written;
    return [pushWait("unhashed", first)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#recorded[Symbol.dispose]();
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#soon !== null) clearImmediate(this.#soon);
    // Before what waits for a hash: it is not waited for.
    await this.#hasher[Symbol.asyncDispose]();
    await this.#hugeHasher[Symbol.asyncDispose]();
    await this.#round;
    await this.#huge[Symbol.asyncDispose]();
    this.#endLook();
    closeSync(this.#directory);
  }

  #begin(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#soon = null;
    this.#round = this.#sealAll().finally(() => this.#endRound());
  }

  #endLook(): void {
    this.#looked?.resolve();
    this.#looked = null;
  }

  #sealAll(): Promise<void> {
    this.#left.begin();
    const options = { ...this.#sealing(this.#hasher), huge: this.#huge };
    return sealOpenCloses(options, this.#stop.signal);
  }

  #sealing(hasher: FileHasher): SealingOptions {
    return {
      ...this.#options,
      settle: (files) => hasher.settle(files, this.#directory),
      onWritten: (recno: Recno) => this.#left.note("written", recno),
    };
  }

  #endRound(): void {
    this.#round = null;
    const isStale = this.#isStale;
    this.#isStale = false;
    if (this.#stop.signal.aborted) return;
    if (isStale) {
      this.#soon = setImmediate(() => this.#begin());
      return;
    }
    this.#endLook();
    if (this.#options.replica.unsealed().length > 0) {
      // Something still has a writer, or was written to while it was hashed.
      this.#attempts += 1;
      const delayMs = retryDelayMs(this.#attempts, this.#options.random());
      this.#timer = setTimeout(() => this.#begin(), delayMs).unref();
    }
  }
}
