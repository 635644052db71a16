import { constants } from "node:fs";

import {
  bytesToText,
  isReplicatedXattr,
  type Name,
  type ObjectKind,
  type Oid,
  type Sha256,
  kindOfMode,
} from "@izo/core";
import { lgetxattr, llistxattr, readlinkat, type Stat } from "@izo/sys";

import { noteOfStat, type DiskNote } from "../../db/disk-notes.ts";

/** What stands on disk under a name: all that a record of it would say. */
export interface FoundEntry {
  readonly parent: Oid;
  readonly name: Name;
  readonly note: DiskNote;
  readonly kind: ObjectKind;
  /** As in {@link TreeObject.mode}: with type bits for special files only. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  readonly rdev: number;
  readonly target: string;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Null until hashed, and for all but files. */
  readonly sha256: Sha256 | null;
}

const PERMISSION_BITS = 0o7777;

/** Reads all of an entry but its content. @throws SysError */
export function readFoundEntry(
  dirFd: number,
  parent: Oid,
  name: Name,
  nameBytes: Uint8Array,
  stat: Stat,
): FoundEntry {
  const kind = kindOfMode(stat.mode);
  return {
    parent,
    name,
    note: noteOfStat(stat),
    kind,
    mode: kind === "special" ? stat.mode : stat.mode & PERMISSION_BITS,
    uid: stat.uid,
    gid: stat.gid,
    sizeBytes: kind === "file" ? stat.size : 0,
    mtimeNs: stat.mtimeNs,
    rdev: kind === "special" ? stat.rdev : 0,
    target: kind === "symlink" ? bytesToText(readlinkat(dirFd, nameBytes)) : "",
    xattrs: kind === "symlink" ? new Map() : readXattrs(entryPath(dirFd, nameBytes)),
    sha256: null,
  };
}

/** A path for the calls that know no directory descriptor (xattr(7)). */
export function entryPath(dirFd: number, nameBytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${dirFd}/`), nameBytes]);
}

/** Those that replicate, of what is at the path; never follows a symlink at its end. @throws SysError */
export function readXattrs(path: Buffer): Map<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>();
  for (const nameBytes of listXattrs(path)) {
    const name = bytesToText(nameBytes);
    if (!isReplicatedXattr(name)) continue;
    const value = readXattr(path, nameBytes);
    if (value !== undefined) xattrs.set(name, new Uint8Array(value));
  }
  return xattrs;
}

/** Undefined for what is not set, and for capabilities that the kernel cannot read: they give no rights. */
function readXattr(path: Buffer, name: Buffer): Buffer | undefined {
  try {
    return lgetxattr(path, name);
  } catch (error) {
    if ((error as { code?: unknown }).code === "EINVAL") return undefined;
    throw error;
  }
}

function listXattrs(path: Buffer): Buffer[] {
  try {
    return llistxattr(path);
  } catch (error) {
    // A file system without attributes has none.
    if ((error as { code?: unknown }).code === "ENOTSUP") return [];
    throw error;
  }
}

/** Tells whether a stat is that of a directory. */
export function isDirectoryStat({ mode }: Stat): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFDIR;
}
