/**
 * Seals open CLOSEs off the hot path (design D9): a file that nobody writes any more is hashed, made
 * durable, and its CLOSE gets hash, size and time. A CLOSE is sealed only when nobody could write to the
 * file from before the hash to its end; until then it holds back what depends on it and nothing else
 * (P3). Which file a CLOSE is about is asked anew for each: while one is hashed a conflict can part
 * another from its object.
 *
 * A crash loses a hash, which is computed again.
 */

import { fdatasync, fstatSync } from "node:fs";
import { promisify } from "node:util";

import { retryDelayMs } from "@izo/core";

import type { CacheExecutor, OwnClose } from "./cache-executor.ts";
import { FileHasher } from "./hash-file.ts";
import type { LocalReplica } from "./local-replica.ts";

const makeDurable = promisify(fdatasync);

/** A file that is saved several times in a row is hashed once. */
const COALESCE_MS = 2;

export interface SealerOptions {
  readonly replica: LocalReplica;
  readonly cache: CacheExecutor;
  readonly random: () => number;
  /** A file could not be read or synced; it is tried again. */
  readonly onProblem: (error: unknown) => void;
}

export class Sealer implements AsyncDisposable {
  readonly #options: SealerOptions;
  readonly #hasher = new FileHasher();
  readonly #recorded: Disposable;
  /** Rounds in a row that left something open. */
  #attempts = 0;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> | null = null;
  /** Woken while a round was running, which may have gone past what is new. */
  #isStale = false;
  #isDisposed = false;

  constructor(options: SealerOptions) {
    this.#options = options;
    this.#recorded = options.replica.onRecorded(({ kind }) => {
      if (kind === "recorded") this.wake();
    });
    this.wake();
  }

  /** Looks at the open CLOSEs soon: one was recorded, or a file lost its last writer. */
  wake(): void {
    this.#attempts = 0;
    this.#schedule(COALESCE_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#recorded[Symbol.dispose]();
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#round;
    await this.#hasher[Symbol.asyncDispose]();
  }

  #schedule(delayMs: number): void {
    if (this.#isDisposed) return;
    if (this.#round !== null) {
      this.#isStale = true;
      return;
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#round = this.#sealAll().finally(() => this.#endRound());
    }, delayMs).unref();
  }

  #endRound(): void {
    this.#round = null;
    if (this.#isStale) {
      this.#isStale = false;
      this.#schedule(COALESCE_MS);
    } else if (this.#options.replica.unsealed().length > 0) {
      // Something still has a writer, or was written to while it was hashed.
      this.#attempts += 1;
      this.#schedule(retryDelayMs(this.#attempts, this.#options.random()));
    }
  }

  async #sealAll(): Promise<void> {
    const { replica, onProblem } = this.#options;
    for (const { recno, operation } of replica.unsealed()) {
      if (this.#isDisposed) return;
      // Sealed with one that was made on top of it.
      if (operation.opcode !== "CLOSE" || !replica.isOpen(recno)) continue;
      try {
        // oxlint-disable-next-line no-await-in-loop -- one file at a time: the disk is the mount's, too
        await this.#seal({ recno, operation });
      } catch (error) {
        onProblem(error);
      }
    }
  }

  /** Successive open CLOSEs of one file are one: all get what the file holds now. */
  async #seal(close: OwnClose): Promise<void> {
    const { replica, cache } = this.#options;
    const { peer } = replica;
    const found = cache.openWritten(close);
    // What was written is nowhere any more: nothing is left that this CLOSE could be about.
    if (found === "gone") replica.cancel(close.recno);
    if (typeof found === "string") return;
    using content = found;
    const { size } = fstatSync(content.fd);
    const sha256 = await this.#hasher.hash(content.fd, size);
    await makeDurable(content.fd);
    if (!content.isUntouched || replica.peer !== peer) return;
    const { size: sizeBytes, mtimeNs } = fstatSync(content.fd, { bigint: true });
    for (const recno of content.closes) {
      if (replica.isOpen(recno))
        replica.seal(recno, { sizeBytes: Number(sizeBytes), mtimeNs, sha256 });
    }
  }
}
