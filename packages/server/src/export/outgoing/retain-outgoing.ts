import { constants } from "node:fs";

import { EMPTY_SHA256, textToBytes, type Sha256 } from "@izo/core";
import { fstatat, hasWriter, openat, renameat2, unlinkat } from "@izo/sys";

import { noteRetained } from "../../db/contents.ts";
import { isSameContent, isUnchanged, noteOfStat } from "../../db/disk-notes.ts";
import type { Outgoing } from "../apply/step-context.ts";
import { openContentSource } from "../contents/content-source.ts";
import type { Fileset } from "../fileset.ts";
import { noteIfExpected, seeInode } from "../tree/seen-inode.ts";
import { heldFd, isAbsence, openTreeDirectory } from "../tree/tree-directory.ts";

/**
 * What is left to do about an inode that was taken out of the tree: nothing; watch it, because somebody
 * can still write to it or it holds what no log knows (design S3); copy its content.
 */
export type OutgoingFate = "done" | "watch" | "copy";

/**
 * Decides about an inode that was taken out of the tree: kept under its hash as old content (design D8),
 * dropped, or left to the caller with what has to be done.
 */
export function retainOutgoing(fileset: Fileset, outgoing: Outgoing): OutgoingFate {
  const { applyFd, objectsFd } = fileset;
  const { item, sha256, isUnlogged } = outgoing;
  const stat = fstatat(applyFd, item, { noFollow: true, throwIfNoEntry: false });
  if (stat === undefined) return "done";
  const type = stat.mode & constants.S_IFMT;
  if (type !== constants.S_IFREG) {
    unlinkat(applyFd, item, { directory: type === constants.S_IFDIR });
    return "done";
  }
  const isAsNoted = !isUnlogged && isSameContent(noteOfStat(stat), outgoing.note);
  const isContent = sha256 !== null && sha256 !== EMPTY_SHA256;
  // Other names still hold it: what is written to it later is found there, where they are in the tree.
  if (stat.nlink > 1) {
    if (isAsNoted && isContent && !isElsewhere(fileset, sha256)) return "copy";
    dropName(fileset, outgoing);
    return "done";
  }
  if (!isAsNoted || isWritable(applyFd, item)) return "watch";
  if (!isContent) {
    unlinkat(applyFd, item);
    return "done";
  }
  renameat2(applyFd, item, objectsFd, sha256);
  const kept = fstatat(objectsFd, sha256, { noFollow: true });
  noteRetained(fileset.connection, sha256, kept, Number(fileset.nowNs() / 1_000_000n));
  return "done";
}

/**
 * Takes the name in staging from an inode that has others in the tree, and notes it again: its ctime is
 * another then, and who changes it next would look for a change that is not logged.
 */
export function dropName({ applyFd, rootFd, ledger }: Fileset, { item, oid }: Outgoing): void {
  const before = seeInode(applyFd, Buffer.from(item));
  const noted = ledger.notes.get(oid);
  unlinkat(applyFd, item);
  if (before === undefined || noted === undefined || !isUnchanged(noted, before.note)) return;
  const [entry] = ledger.state.links(oid);
  if (entry === undefined) return;
  try {
    using directory = heldFd(openTreeDirectory(rootFd, ledger.state, entry.parent));
    const after = noteIfExpected(directory.fd, textToBytes(entry.name), before);
    if (after !== null) ledger.notes.put(oid, after);
  } catch (error) {
    if (!isAbsence(error)) throw error;
  }
}

function isElsewhere(fileset: Fileset, sha256: Sha256): boolean {
  using source = openContentSource(fileset, sha256);
  return source !== null;
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
