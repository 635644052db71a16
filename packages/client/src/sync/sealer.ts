/**
 * Seals open CLOSEs off the hot path (design D9): files that nobody writes any more are hashed, made
 * durable, and their CLOSEs get hash, size and time. A CLOSE is sealed only when nobody could write to the
 * file from before the hash to its end; until then it holds back what depends on it and nothing else
 * (P3).
 *
 * A crash loses a hash, which is computed again.
 */

import { closeSync, constants, openSync } from "node:fs";

import { type ChangeSet, retryDelayMs } from "@izo/core";

import type { CacheExecutor } from "./cache-executor.ts";
import { FileHasher } from "./hash-file.ts";
import type { LocalReplica } from "./local-replica.ts";
import { sealOpenCloses, type SealingDisk, type SealingOptions } from "./seal-open-closes.ts";

/** A file that is saved several times in a row is hashed once. */
const COALESCE_MS = 2;

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
  /** Opened before anything is written: a sync of the file system then tells of every failure since. */
  readonly #directory: number;
  readonly #recorded: Disposable;
  /** Rounds in a row that left something open. */
  #attempts = 0;
  #timer: NodeJS.Timeout | null = null;
  /** After which it was set. */
  #delayMs = 0;
  #round: Promise<void> | null = null;
  /** Woken while a round was running, which may have gone past what is new. */
  #isStale = false;
  /** Somebody has woken it, and it has not looked at all since. */
  #looked: PromiseWithResolvers<void> | null = null;
  readonly #stop = new AbortController();

  constructor(options: SealerOptions) {
    this.#options = options;
    const { cacheDir } = options.replica;
    this.#directory = openSync(cacheDir, constants.O_RDONLY | constants.O_DIRECTORY);
    this.#recorded = options.replica.onRecorded(({ kind }) => {
      if (kind === "recorded") this.wake();
    });
    this.wake();
  }

  /** Looks at the open CLOSEs soon: one was recorded, or a file lost its last writer. */
  wake(): void {
    this.#attempts = 0;
    if (!this.#stop.signal.aborted) this.#looked ??= Promise.withResolvers();
    this.#schedule(COALESCE_MS);
  }

  /** Resolves when all that was recorded was looked at; what has a writer still is looked at again later. */
  async settled(): Promise<void> {
    await this.#looked?.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#recorded[Symbol.dispose]();
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#round;
    this.#endLook();
    await this.#hasher[Symbol.asyncDispose]();
    closeSync(this.#directory);
  }

  #schedule(delayMs: number): void {
    if (this.#stop.signal.aborted) return;
    if (this.#round !== null) {
      this.#isStale = true;
      return;
    }
    if (this.#timer !== null && this.#delayMs === delayMs) {
      this.#timer.refresh();
      return;
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#delayMs = delayMs;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#round = this.#sealAll().finally(() => this.#endRound());
    }, delayMs).unref();
  }

  #endLook(): void {
    this.#looked?.resolve();
    this.#looked = null;
  }

  #sealAll(): Promise<void> {
    const settle: SealingDisk["settle"] = (files) => this.#hasher.settle(files, this.#directory);
    return sealOpenCloses({ ...this.#options, settle }, this.#stop.signal);
  }

  #endRound(): void {
    this.#round = null;
    if (this.#isStale) {
      this.#isStale = false;
      this.#schedule(COALESCE_MS);
      return;
    }
    this.#endLook();
    if (this.#options.replica.unsealed().length > 0) {
      // Something still has a writer, or was written to while it was hashed.
      this.#attempts += 1;
      this.#schedule(retryDelayMs(this.#attempts, this.#options.random()));
    }
  }
}
