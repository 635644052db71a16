import type { Actor, ClientOperation, Oid, Recno } from "@izo/core";

import type { ChangeLog } from "../cache/change-log.ts";
import type { LongWrites } from "../cache/content/long-writes.ts";
import type { RemovedContents } from "../cache/content/removed-contents.ts";
import type { KernelNotifier } from "../cache/notify/kernel-notifier.ts";
import type { CacheTree } from "../cache/tree/cache-tree.ts";
import { ErrnoError, type ErrnoName } from "../fuse/errno.ts";
import type { OwedContents } from "./owed-contents.ts";
import type { ProgramFetches } from "./program-fetches.ts";
import type { UnseenWriters } from "./unseen-writers.ts";

/** What the operations of the file system share. */
export interface FilterContext {
  readonly tree: CacheTree;
  readonly log: ChangeLog;
  readonly fetches: ProgramFetches;
  readonly owed: OwedContents;
  readonly unseenWriters: UnseenWriters;
  readonly longWrites: LongWrites;
  readonly removed: RemovedContents;
  readonly notifier: KernelNotifier;
  /** The cache's directory: its file system's free space is the mount's. */
  readonly cacheDir: string;
  readonly newOid: () => Oid;
  readonly nowNs: () => bigint;
  /** Now, by the clock that the kernel gives inodes their times from; see `KernelClock`. */
  readonly stampNs: () => bigint;
  /** A program opens a file: what was used last leaves the cache last. */
  readonly onUsed: (oid: Oid) => void;
  /** From which size on a content can be read while it is fetched; null for never. */
  readonly streamFromBytes: () => number | null;
  /** The disk is full: tries to let content leave. Resolves with whether any did. */
  readonly reclaim: (bytes: number) => Promise<boolean>;
  /** Somebody closed or removed what he wrote: its content can be sealed. */
  readonly onWriterGone: (oid: Oid) => void;
}

/**
 * Logs an operation, then does it (design C6). When it fails, the record is taken back; when a crash
 * comes in between, recovery does what the record says.
 *
 * @throws what `work` throws; ErrnoError with the disk's errno when the log cannot be written
 */
export function perform<T>(
  { log }: FilterContext,
  operation: ClientOperation,
  actor: Actor,
  work: (recno: Recno) => T,
): T {
  const recno = record(log, operation, actor);
  try {
    return work(recno);
  } catch (error) {
    log.cancel(recno);
    throw error;
  }
}

/** Appends a record; a full disk is the caller's to know. */
export function record(log: ChangeLog, operation: ClientOperation, actor: Actor): Recno {
  return appending(() => log.record(operation, actor));
}

/** {@link record} of several, of which a kill leaves all or none. */
export function recordTogether(
  log: ChangeLog,
  operations: readonly ClientOperation[],
  actor: Actor,
): Recno[] {
  return appending(() => log.recordTogether(() => operations, actor));
}

function appending<T>(append: () => T): T {
  try {
    return append();
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code !== "ENOSPC" && code !== "EDQUOT" && code !== "EROFS") throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new ErrnoError(code satisfies ErrnoName, message, {}, error);
  }
}
