/**
 * Makes inodes of the cache tree, and gives them the attributes of their objects.
 *
 * Everything here works on paths below directories that only this process changes, and never follows
 * a symlink at their end: a server cannot lead it out of the cache (design §8, promise 6).
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
} from "node:fs";

import {
  bytesToText,
  EMPTY_SHA256,
  isReplicatedXattr,
  textToBytes,
  type TreeObject,
} from "@izo/core";
import {
  AT_FDCWD,
  fchmodat,
  fchownat,
  fsetxattr,
  fstatat,
  futimens,
  lgetxattr,
  llistxattr,
  lremovexattr,
  lsetxattr,
  mknod,
  type Stat,
  utimens,
} from "@izo/sys";

import { osPath } from "./cache-paths.ts";
import { ABSENT, WHOLE, writeMark, writeMarkOf, type Holding } from "./object-mark.ts";

/** Makes a file that never follows, replaces or shares anything. */
export const CREATE_FLAGS =
  constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW;

/**
 * Makes the inode of an object at a free path, with everything but its content: a file is a sparse
 * placeholder of the right size, a directory is empty. The mark comes last, so an inode with a mark is
 * complete.
 *
 * @returns what the inode holds
 * @throws the system's error, after removing what was made
 */
export function makeInode(path: string, object: TreeObject): Holding {
  try {
    switch (object.kind) {
      case "file":
        return makeFile(path, object);
      case "directory":
        mkdirSync(osPath(path), 0o700);
        return finish(path, object, ABSENT);
      case "symlink":
        symlinkSync(Buffer.from(textToBytes(object.target)), osPath(path));
        return finish(path, object, WHOLE);
      case "special":
        mknod(osPath(path), object.mode, object.rdev);
        return finish(path, object, WHOLE);
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) {
      rmSync(osPath(path), { recursive: true, force: true });
    }
    throw error;
  }
}

/** What a fresh placeholder of a file holds: an empty one is complete. */
function holdingOfNew(object: TreeObject): Holding {
  return object.sha256 === EMPTY_SHA256 ? { state: "content", sha256: EMPTY_SHA256 } : ABSENT;
}

function makeFile(path: string, object: TreeObject): Holding {
  const holding = holdingOfNew(object);
  const fd = openSync(osPath(path), CREATE_FLAGS, 0o600);
  try {
    if (object.sizeBytes > 0) ftruncateSync(fd, object.sizeBytes);
    dropInherited(path, object);
    giveAttributes(fd, object);
    writeMarkOf(fd, { oid: object.oid, holding });
  } finally {
    closeSync(fd);
  }
  return holding;
}

/** Owner, mode, extended attributes and mtime of an open file, in the order in which none undoes another. */
export function giveAttributes(fd: number, object: TreeObject): void {
  fchownSync(fd, object.uid, object.gid);
  // The extended attributes come before the mode, which an access control list would change.
  for (const [name, value] of replicatedXattrs(object)) fsetxattr(fd, textToBytes(name), value);
  fchmodSync(fd, object.mode & 0o7777);
  futimens(fd, "omit", object.mtimeNs);
}

function finish(path: string, object: TreeObject, holding: Holding): Holding {
  const at = osPath(path);
  fchownat(AT_FDCWD, at, object.uid, object.gid, { noFollow: true });
  if (object.kind !== "symlink") dropInherited(path, object);
  for (const [name, value] of replicatedXattrs(object)) lsetxattr(at, textToBytes(name), value);
  if (object.kind !== "symlink") fchmodat(AT_FDCWD, at, object.mode & 0o7777);
  utimens(at, "omit", object.mtimeNs, { noFollow: true });
  writeMark(path, { oid: object.oid, holding });
  return holding;
}

/** Takes the access control lists away that an inode got from its directory and its object does not have. */
function dropInherited(path: string, object: TreeObject): void {
  for (const name of ["system.posix_acl_access", "system.posix_acl_default"]) {
    if (object.xattrs.has(name)) continue;
    if (name.endsWith("default") && object.kind !== "directory") continue;
    if (lgetxattr(osPath(path), name) !== undefined) lremovexattr(osPath(path), name);
  }
}

/** Makes owner, mode and extended attributes of an inode those of its object, touching only what differs. */
export function updateAttributes(path: string, object: TreeObject): void {
  const at = osPath(path);
  const stat = fstatat(AT_FDCWD, at, { noFollow: true });
  const isOwnerSame = stat.uid === object.uid && stat.gid === object.gid;
  if (!isOwnerSame) fchownat(AT_FDCWD, at, object.uid, object.gid, { noFollow: true });
  updateXattrs(at, object);
  const mode = object.mode & 0o7777;
  if (object.kind !== "symlink" && (!isOwnerSame || (stat.mode & 0o7777) !== mode)) {
    fchmodat(AT_FDCWD, at, mode);
  }
}

/** Sets the mtime of an inode to its object's where it differs. */
export function updateTime(path: string, object: TreeObject): void {
  const at = osPath(path);
  if (fstatat(AT_FDCWD, at, { noFollow: true }).mtimeNs === object.mtimeNs) return;
  utimens(at, "omit", object.mtimeNs, { noFollow: true });
}

/** The attributes of an inode, not following a symlink; undefined when there is nothing. */
export function statInode(path: string): Stat | undefined {
  return fstatat(AT_FDCWD, osPath(path), { noFollow: true, throwIfNoEntry: false });
}

function updateXattrs(at: string | Buffer, object: TreeObject): void {
  for (const bytes of llistxattr(at)) {
    const name = bytesToText(bytes);
    if (isReplicatedXattr(name) && !object.xattrs.has(name)) lremovexattr(at, bytes);
  }
  for (const [name, value] of replicatedXattrs(object)) {
    const bytes = textToBytes(name);
    const standing = lgetxattr(at, bytes);
    if (standing === undefined || !standing.equals(value)) lsetxattr(at, bytes, value);
  }
}

/** Whatever a log names, the mark and what else belongs to this machine is not a server's to set. */
function* replicatedXattrs({ xattrs }: TreeObject): Iterable<[name: string, value: Uint8Array]> {
  for (const [name, { value }] of xattrs) if (isReplicatedXattr(name)) yield [name, value];
}
