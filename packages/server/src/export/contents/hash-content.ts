import { createHash } from "node:crypto";
import { closeSync, constants, read as readCallback } from "node:fs";
import { promisify } from "node:util";

import { EMPTY_SHA256, type Sha256 } from "@izo/core";
import { fstat, openat, type Path } from "@izo/sys";

import { isUnchanged, noteOfStat, type DiskNote } from "../../db/disk-notes.ts";

const read = promisify(readCallback);

/** About a millisecond of hashing between two looks of the event loop at other work (0.9 GB/s). */
const PIECE_BYTES = 1024 * 1024;

const RECHECK_BYTES = 64 * PIECE_BYTES;

// O_NONBLOCK: what was a file when it was listed may be a FIFO by now, and would block for ever.
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Hashes a file that should be the one noted. Equal stats before and after say that the hash is that
 * of one state of it (design S2).
 *
 * @returns null when it is another inode, or was changed meanwhile: look again later
 */
export async function hashContent(
  dirFd: number,
  name: Path,
  note: DiskNote,
  signal?: AbortSignal,
): Promise<Sha256 | null> {
  const fd = openToHash(dirFd, name);
  try {
    return await hashOpenFile(fd, note, signal === undefined ? {} : { signal });
  } finally {
    closeSync(fd);
  }
}

/** @throws SysError */
export function openToHash(dirFd: number, name: Path): number {
  return openat(dirFd, name, READ);
}

export interface HashingOptions {
  readonly signal?: AbortSignal;
  /** Called at the start, and now and then: who lets it wait lets others go first. */
  readonly onWay?: (doneBytes: number) => Promise<void>;
}

/** The same of a file that is open, and stays so. */
export async function hashOpenFile(
  fd: number,
  note: DiskNote,
  { signal, onWay }: HashingOptions = {},
): Promise<Sha256 | null> {
  const isAsNoted = (): boolean => isUnchanged(noteOfStat(fstat(fd)), note);
  if (!isAsNoted()) return null;
  if (note.sizeBytes === 0n) return EMPTY_SHA256;
  await onWay?.(0);
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, Number(note.sizeBytes)));
  for (let offset = 0; ;) {
    signal?.throwIfAborted();
    const { bytesRead } = await read(fd, piece, 0, piece.length, offset);
    if (bytesRead === 0) break;
    hash.update(piece.subarray(0, bytesRead));
    offset += bytesRead;
    // The rest of what has changed already is not read in vain.
    if (offset % RECHECK_BYTES !== 0) continue;
    await onWay?.(offset);
    if (!isAsNoted()) return null;
  }
  return isAsNoted() ? (hash.digest("hex") as Sha256) : null;
}
