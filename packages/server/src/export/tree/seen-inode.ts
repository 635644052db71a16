import { fstatat, type Stat } from "@izo/sys";

import { isSameButForCtime, noteOfStat, type DiskNote } from "../../db/disk-notes.ts";
import { entryPath, isDirectoryStat, readXattrs } from "./found-entry.ts";
import { isAbsence } from "./tree-directory.ts";

/** Extended attributes that replicate, by name; null where this user may not read them. */
export type SeenXattrs = ReadonlyMap<string, Uint8Array> | null;

/**
 * An inode as a step has seen it. A change of its extended attributes shows in nothing of a stat but ctime, and a
 * rename or a link moves that too.
 */
export interface SeenInode {
  readonly note: DiskNote;
  readonly xattrs: SeenXattrs;
}

const OPTIONS = { noFollow: true, throwIfNoEntry: false } as const;

/**
 * Sees an inode before a step, attributes first: who changes them after that changes the ctime with which the note is
 * compared, or shows in {@link noteIfExpected}. Undefined where nothing stands.
 */
export function seeInode(
  dirFd: number,
  name: Uint8Array,
): (SeenInode & { readonly stat: Stat }) | undefined {
  const xattrs = seeXattrs(dirFd, name);
  const stat = fstatat(dirFd, name, OPTIONS);
  return stat && xattrs !== undefined ? { stat, note: noteOfStat(stat), xattrs } : undefined;
}

/**
 * What is to be noted of an inode after a step, or null where somebody has changed it meanwhile. The stat comes first:
 * who changes the attributes after that gives it another ctime than the note has.
 */
export function noteIfExpected(
  dirFd: number,
  name: Uint8Array,
  expected: SeenInode,
): DiskNote | null {
  const stat = fstatat(dirFd, name, OPTIONS);
  if (stat === undefined || !isSameButForCtime(expected.note, noteOfStat(stat))) return null;
  // No ctime tells of those of a directory: each look reads them.
  const isExpected = isDirectoryStat(stat) || isSame(expected.xattrs, seeXattrs(dirFd, name));
  return isExpected ? noteOfStat(stat) : null;
}

/** Undefined where nothing stands. */
export function seeXattrs(dirFd: number, name: Uint8Array): SeenXattrs | undefined {
  try {
    return readXattrs(entryPath(dirFd, name));
  } catch (error) {
    if (isAbsence(error)) return undefined;
    const { code } = error as { code?: unknown };
    if (code === "EACCES" || code === "EPERM") return null;
    throw error;
  }
}

/** What cannot be read is taken for what it was. */
function isSame(a: SeenXattrs, b: SeenXattrs | undefined): boolean {
  if (a === null || b === null) return true;
  return (
    a.size === b?.size &&
    [...a].every(([name, value]) => {
      const other = b.get(name);
      return other !== undefined && Buffer.compare(value, other) === 0;
    })
  );
}
