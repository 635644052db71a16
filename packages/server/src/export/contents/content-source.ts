import { closeSync, constants } from "node:fs";

import { textToBytes, type Entry, type Oid, type Sha256 } from "@izo/core";
import { fstat, fstatat, openat } from "@izo/sys";

import { isRetainedIntact, objectsWithContent } from "../../db/contents.ts";
import { isUnchanged, noteOfStat, type DiskNote } from "../../db/disk-notes.ts";
import type { Fileset } from "../fileset.ts";
import { heldFd, isAbsence, openTreeDirectory } from "../tree/tree-directory.ts";

const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A file that holds a content, open. */
export interface ContentSource extends Disposable {
  readonly fd: number;
  readonly sizeBytes: number;
  /** Tells whether the file still is as it was when it was known to hold the content (design S5). */
  isIntact(): boolean;
}

/** @param isThere something has the name; the file was not removed */
export type OnStale = (entry: Entry, isThere: boolean) => void;

/**
 * Finds a content: in the exported tree, among what was replaced lately, among uploads. Only an inode
 * whose stat is the one noted counts.
 *
 * @param onStale is told of entries whose file is not as noted, to be looked at again
 */
export function openContentSource(
  fileset: Fileset,
  sha256: Sha256,
  onStale: OnStale = () => {},
): ContentSource | null {
  const { committed } = fileset;
  for (const oid of objectsWithContent(committed.connection, sha256)) {
    const source = openFromTree(fileset, oid, onStale);
    if (source !== null) return source;
  }
  return openRetained(fileset, sha256) ?? openStaged(fileset, sha256);
}

function openFromTree(fileset: Fileset, oid: Oid, onStale: OnStale): ContentSource | null {
  const { state, notes } = fileset.committed;
  const note = notes.get(oid);
  for (const entry of state.links(oid)) {
    let isThere = false;
    try {
      using directory = heldFd(openTreeDirectory(fileset.rootFd, state, entry.parent));
      const source = openNoted(directory.fd, textToBytes(entry.name), note);
      if (typeof source !== "string") return source;
      isThere = source === "changed";
    } catch (error) {
      if (!isAbsence(error) && (error as { code?: unknown }).code !== "ELOOP") throw error;
    }
    onStale(entry, isThere);
  }
  return null;
}

/** Opens the inode under a name if its stat is the noted one. */
export function openNoted(
  dirFd: number,
  name: Uint8Array,
  note: DiskNote | undefined,
): ContentSource | "absent" | "changed" {
  const stat = fstatat(dirFd, name, { noFollow: true, throwIfNoEntry: false });
  if (stat === undefined) return "absent";
  // Asked before opening: opening a device can have effects.
  if (note === undefined || !isUnchanged(note, noteOfStat(stat))) return "changed";
  return sourceOf(openat(dirFd, name, READ), note) ?? "changed";
}

function openRetained(fileset: Fileset, sha256: Sha256): ContentSource | null {
  const stat = fstatat(fileset.objectsFd, sha256, { noFollow: true, throwIfNoEntry: false });
  if (stat === undefined) return null;
  if (!isRetainedIntact(fileset.committed.connection, sha256, stat)) return null;
  return sourceOf(openat(fileset.objectsFd, sha256, READ), noteOfStat(stat));
}

/** What is under its hash in `staging/contents` was verified before it got that name; `content-store.ts` says when it is durable. */
function openStaged(fileset: Fileset, sha256: Sha256): ContentSource | null {
  const stat = fstatat(fileset.contentsFd, sha256, { noFollow: true, throwIfNoEntry: false });
  if (stat === undefined || stat.nlink !== 1) return null;
  return sourceOf(openat(fileset.contentsFd, sha256, READ), noteOfStat(stat));
}

function sourceOf(fd: number, note: DiskNote): ContentSource | null {
  const isIntact = () => isUnchanged(note, noteOfStat(fstat(fd)));
  if (!isIntact()) {
    closeSync(fd);
    return null;
  }
  return { fd, sizeBytes: Number(note.sizeBytes), isIntact, [Symbol.dispose]: () => closeSync(fd) };
}
