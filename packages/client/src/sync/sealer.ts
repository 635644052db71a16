/**
 * Seals open CLOSEs off the hot path (design D9): a file that nobody writes any more is hashed, made
 * durable, and its CLOSE gets hash, size and time. A CLOSE is sealed only when the file had the same
 * stat before and after; until then it holds back what depends on it and nothing else (P3).
 *
 * A crash loses a hash, which is computed again.
 */

import { fdatasync, fstatSync, type BigIntStats } from "node:fs";
import { promisify } from "node:util";

import { retryDelayMs, type Oid, type PendingRecord, type StateReader } from "@izo/core";

import type { CacheExecutor } from "./cache-executor.ts";
import { contentOid } from "./content-oid.ts";
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
    const { replica } = this.#options;
    for (const [oid, records] of byObject(replica.unsealed(), replica.visible)) {
      if (this.#isDisposed) return;
      if (this.#options.cache.hasWriter(oid)) continue;
      try {
        // oxlint-disable-next-line no-await-in-loop -- one file at a time: the disk is the mount's, too
        await this.#seal(oid, records);
      } catch (error) {
        this.#options.onProblem(error);
      }
    }
  }

  /** Successive open CLOSEs of one object are one: all get what the file holds now. */
  async #seal(oid: Oid, records: readonly PendingRecord[]): Promise<void> {
    const { replica, cache } = this.#options;
    const { peer } = replica;
    using content = cache.openContent(oid);
    if (content === undefined) {
      if (cache.lacksContent(oid)) this.#takeBack(records);
      return;
    }
    const before = fstatSync(content.fd, { bigint: true });
    const sha256 = await this.#hasher.hash(content.fd, Number(before.size));
    await makeDurable(content.fd);
    const after = fstatSync(content.fd, { bigint: true });
    if (!isUnchanged(before, after) || replica.peer !== peer) return;
    for (const { recno } of records) {
      if (!replica.isOpen(recno)) continue;
      replica.seal(recno, { sizeBytes: Number(after.size), mtimeNs: after.mtimeNs, sha256 });
    }
  }

  /**
   * What was written went on in another file, under a record of its own: a conflict parted them while
   * the program was writing. Nothing is left that this CLOSE could be about.
   */
  #takeBack(records: readonly PendingRecord[]): void {
    const { replica } = this.#options;
    for (const { recno } of records) if (replica.isOpen(recno)) replica.cancel(recno);
  }
}

function byObject(
  records: readonly PendingRecord[],
  visible: StateReader,
): Map<Oid, PendingRecord[]> {
  const result = new Map<Oid, PendingRecord[]>();
  for (const record of records) {
    if (record.operation.opcode !== "CLOSE") continue;
    const oid = contentOid(record.operation, visible);
    result.set(oid, [...(result.get(oid) ?? []), record]);
  }
  return result;
}

function isUnchanged(a: BigIntStats, b: BigIntStats): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs;
}
