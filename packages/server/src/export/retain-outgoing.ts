import { constants, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";

import { EMPTY_SHA256 } from "@izo/core";
import { fstatat, hasWriter, openat, renameat2, unlinkat } from "@izo/sys";

import { forgetRetainedBefore, noteRetained } from "../db/contents.ts";
import { isSameContent, noteOfStat } from "../db/disk-notes.ts";
import type { Fileset } from "./fileset.ts";
import type { Outgoing } from "./step-context.ts";
import { heldFd } from "./tree-directory.ts";

/**
 * Decides about an inode that was taken out of the tree: kept under its hash as old content (design D8),
 * dropped, or, where somebody can still write to it or it holds what no log knows, left for the
 * caller to watch (design S3).
 *
 * @returns true when it has to be watched
 */
export function retainOutgoing(fileset: Fileset, outgoing: Outgoing): boolean {
  const { applyFd, objectsFd } = fileset;
  const { item, sha256, isUnlogged } = outgoing;
  const stat = fstatat(applyFd, item, { noFollow: true, throwIfNoEntry: false });
  if (stat === undefined) return false;
  const type = stat.mode & constants.S_IFMT;
  if (type !== constants.S_IFREG) {
    unlinkat(applyFd, item, { directory: type === constants.S_IFDIR });
    return false;
  }
  // Other names still hold it: what is written to it later is found there.
  if (stat.nlink > 1) {
    unlinkat(applyFd, item);
    return false;
  }
  if (isUnlogged || isWritable(applyFd, item)) return true;
  if (!isSameContent(noteOfStat(stat), outgoing.note)) return true;
  if (sha256 === null || sha256 === EMPTY_SHA256) {
    unlinkat(applyFd, item);
    return false;
  }
  renameat2(applyFd, item, objectsFd, sha256);
  const kept = fstatat(objectsFd, sha256, { noFollow: true });
  noteRetained(fileset.connection, sha256, kept, Number(fileset.nowNs() / 1_000_000n));
  return false;
}

/** Drops old contents that were replaced before then. */
export function dropRetainedBefore(fileset: Fileset, beforeMs: number): void {
  for (const sha256 of forgetRetainedBefore(fileset.connection, beforeMs)) {
    const path = join(fileset.paths.objects, sha256);
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path);
  }
}

/** Tells whether somebody still holds an outgoing file open for writing. */
export function isWritable(applyFd: number, item: string): boolean {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  using file = heldFd(openat(applyFd, item, flags));
  try {
    return hasWriter(file.fd);
  } catch {
    // No leases here: what is written to it from now on cannot be known.
    return false;
  }
}
