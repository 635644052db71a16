import { fstatSync } from "node:fs";
import { setImmediate as yieldToRequests } from "node:timers/promises";

import type { ChangeSet, PendingRecord, Recno, Sha256 } from "@izo/core";

import type { CacheExecutor, OwnClose, WrittenContent } from "../cache-executor.ts";
import type { QuietMoments } from "../quiet-moments.ts";
import type { LocalReplica } from "../replica/local-replica.ts";
import { SMALL_FILE_BYTES } from "./hash-file.ts";
import type { HugeCloses } from "./huge-closes.ts";

/** A file to be sealed. */
export interface OpenFile {
  readonly fd: number;
  readonly sizeBytes: number;
}

/** What sealing does with files: it may take long, and anything can happen meanwhile. */
export interface SealingDisk {
  /**
   * Makes open files durable, and gives the SHA-256 of each from its start to its end, or why it could not be
   * read. @throws where the disk did not take one of them
   */
  readonly settle: (files: readonly OpenFile[]) => Promise<readonly (Sha256 | Error)[]>;
}

export interface SealingOptions extends SealingDisk {
  readonly replica: LocalReplica;
  readonly cache: CacheExecutor;
  /** Each file waits for its moment: hashing can wait, and the program that writes one after the other cannot. */
  readonly quiet: Pick<QuietMoments, "waitForBurst">;
  /** Makes the cache show what sealing has changed in the visible tree. */
  readonly show: (changes: ChangeSet) => void;
  /** A program may still write to the file: its CLOSE is left as it is. */
  readonly onWritten: (close: Recno) => void;
  /** A file could not be read or synced; it is tried again with the next round. */
  readonly onProblem: (error: unknown) => void;
}

/**
 * Small files settled together. To make one durable takes a disk about as long as to make all of them so; they are
 * as many descriptors meanwhile.
 */
const GROUP_FILES = 256;

/** What takes a third of a second to hash: others can wait so long for it, and for no larger one. */
export const HUGE_FILE_BYTES = 256 * 1024 * 1024;

/** Files opened, or sealed, before programs get a turn: less than a millisecond of work. */
const AT_A_TIME = 16;

/**
 * Gives the open CLOSEs of files that nobody writes any more their hash: small ones together, then large ones one after
 * another. Huge ones are handed on, and sealed by {@link sealClose} (P3).
 */
export async function sealOpenCloses(
  options: SealingOptions & { readonly huge: Pick<HugeCloses, "has" | "add"> },
  signal: AbortSignal,
): Promise<void> {
  const { replica, cache, huge, onWritten } = options;
  const small: PendingRecord[] = [];
  const large: PendingRecord[] = [];
  for (const close of replica.unsealed()) {
    const { recno, operation } = close;
    if (operation.opcode !== "CLOSE") continue;
    if (huge.has(recno)) {
      if (cache.isWritten({ recno, operation })) onWritten(recno);
    } else if (operation.sizeBytes >= HUGE_FILE_BYTES) huge.add(close);
    else (operation.sizeBytes <= SMALL_FILE_BYTES ? small : large).push(close);
  }
  const groups = large.map((close) => [close]);
  for (let at = small.length; at > 0; at -= GROUP_FILES)
    groups.unshift(small.slice(Math.max(0, at - GROUP_FILES), at));
  const handOn = (close: PendingRecord): void => huge.add(close);
  // oxlint-disable-next-line no-await-in-loop -- one group at a time: the disk is the mount's, too
  for (const group of groups) if (!signal.aborted) await sealGroup(options, group, signal, handOn);
}

/** Seals one CLOSE, of a file of any size. */
export function sealClose(
  options: SealingOptions,
  close: PendingRecord,
  signal: AbortSignal,
): Promise<void> {
  return sealGroup(options, [close], signal);
}

/**
 * Which file a CLOSE is about is asked anew for each: while one is hashed, a conflict can part another
 * from its object.
 */
async function sealGroup(
  options: SealingOptions,
  closes: readonly PendingRecord[],
  signal: AbortSignal,
  handOn?: (close: PendingRecord) => void,
): Promise<void> {
  const { replica, quiet, settle, onProblem } = options;
  const { peer } = replica;
  using files = new DisposableStack();
  const contents: WrittenContent[] = [];
  const covered = new Set<PendingRecord["recno"]>();
  const moment = async (index: number): Promise<void> => {
    if (index % AT_A_TIME === AT_A_TIME - 1) await yieldToRequests();
    await quiet.waitForBurst(signal);
  };
  for (const [index, close] of closes.entries()) {
    const { recno, operation } = close;
    // oxlint-disable-next-line no-await-in-loop -- a moment for each
    await moment(index);
    if (signal.aborted) return;
    // Sealed already, or about to be, with one that was made on top of it.
    if (operation.opcode !== "CLOSE" || covered.has(recno) || !replica.isOpen(recno)) continue;
    try {
      // oxlint-disable-next-line no-await-in-loop -- copies are made one by one
      const content = await openClosed(options, { recno, operation });
      if (content === undefined) continue;
      files.use(content);
      // It has grown since.
      const isHuge = fstatSync(content.fd).size >= HUGE_FILE_BYTES;
      if (isHuge && handOn !== undefined) handOn(close);
      else contents.push(content);
      for (const sealed of content.closes) covered.add(sealed);
    } catch (error) {
      onProblem(error);
    }
  }
  if (contents.length === 0) return;
  try {
    const hashes = await settle(contents.map(({ fd }) => ({ fd, sizeBytes: fstatSync(fd).size })));
    for (const [index, content] of contents.entries()) {
      // oxlint-disable-next-line no-await-in-loop -- a moment for each
      await moment(index);
      if (signal.aborted || replica.peer !== peer) return;
      sealContent(options, content, hashes[index]!);
    }
  } catch (error) {
    // Who stops does not wait for a hash: it is given up.
    if (!signal.aborted) onProblem(error);
  }
}

async function openClosed(
  { replica, cache, show, onWritten }: SealingOptions,
  close: OwnClose,
): Promise<WrittenContent | undefined> {
  const found = cache.openWritten(close);
  // What was written is nowhere any more: nothing is left that this CLOSE could be about.
  if (found === "gone") show(replica.cancel(close.recno));
  if (found === "written") {
    onWritten(close.recno);
    return cache.copyWritten(close);
  }
  return typeof found === "string" ? undefined : found;
}

/** Successive open CLOSEs of one file are one (design D9): all get what the file holds now. */
function sealContent(
  { replica, show, onProblem }: SealingOptions,
  content: WrittenContent,
  sha256: Sha256 | Error,
): void {
  if (sha256 instanceof Error) {
    // Of a file that was removed meanwhile nobody needs one: its CLOSE is cancelled at the next look.
    if (fstatSync(content.fd).nlink > 0) onProblem(sha256);
    return;
  }
  if (!content.isUntouched) return;
  const { size, mtimeNs } = fstatSync(content.fd, { bigint: true });
  content.noteHash(sha256);
  for (const recno of content.closes) {
    if (replica.isOpen(recno))
      show(replica.seal(recno, { sizeBytes: Number(size), mtimeNs, sha256 }));
  }
  content.showElsewhere();
}
