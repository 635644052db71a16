/**
 * Makes inodes of the cache tree, and gives them the attributes of their objects.
 *
 * Everything here works on paths below directories that only this process changes, and never follows
 * a symlink at their end: a server cannot lead it out of the cache (design §8, promise 6).
 */
import { closeSync, constants, ftruncateSync, mkdirSync, rmdirSync, rmSync } from "node:fs";

import {
  EMPTY_SHA256,
  isReplicatedXattr,
  type Sha256,
  textToBytes,
  type TreeObject,
} from "@izo/core";
import { AT_FDCWD, fstatat, futimens, type Stat, utimens, writeWhole } from "@izo/sys";

import { ErrnoError } from "../../fuse/errno.ts";
import { osPath } from "../tree/cache-paths.ts";
import { type InodeForm, type InodePlace, shownOwner } from "./inode-form.ts";
import { ABSENT, WHOLE, type Holding } from "./object-mark.ts";

/** What of an object its inode has besides content and names. */
export type InodeAttributes = Pick<
  TreeObject,
  "kind" | "mode" | "uid" | "gid" | "xattrs" | "mtimeNs"
>;

/** Makes a file that never follows, replaces or shares anything. */
export const CREATE_FLAGS =
  constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW;

/**
 * Makes the inode of an object at a free path, with everything but its content: a file is a sparse
 * placeholder of the right size, a directory is empty. The mark comes last, so an inode with a mark is
 * complete.
 *
 * @param content what the object shows, where that is at hand: a file then is complete
 * @returns what the inode holds
 * @throws the system's error, after removing what was made
 */
export function makeInode(
  form: InodeForm,
  path: string,
  object: TreeObject,
  content?: { readonly sha256: Sha256; readonly bytes: Uint8Array },
): Holding {
  try {
    switch (object.kind) {
      case "file":
        return makeFile(form, path, object, content);
      case "directory":
        mkdirSync(osPath(path), 0o700);
        return finish(form, path, object, ABSENT);
      case "symlink":
        form.makeSymlink(path, Buffer.from(textToBytes(object.target)));
        return finish(form, path, object, WHOLE);
      case "special":
        form.makeSpecial(path, object.mode, object.rdev);
        return finish(form, path, object, WHOLE);
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) {
      removeRest(path);
    }
    throw error;
  }
}

/** After an error, which is the one to tell. What stays has no mark, and recovery finds it. */
function removeRest(path: string): void {
  try {
    rmSync(osPath(path), { recursive: true, force: true });
  } catch {
    // A path that is too long, for instance: then nothing was made.
  }
}

/** What a fresh placeholder of a file holds: an empty one is complete. */
export function holdingOfNew(object: TreeObject): Holding {
  return object.sha256 === EMPTY_SHA256 ? { state: "content", sha256: EMPTY_SHA256 } : ABSENT;
}

function makeFile(
  form: InodeForm,
  path: string,
  object: TreeObject,
  content: Parameters<typeof makeInode>[3],
): Holding {
  const holding =
    content === undefined
      ? holdingOfNew(object)
      : ({ state: "content", sha256: content.sha256 } as const);
  const fd = form.makeFile(path, object.mode);
  try {
    if (content !== undefined) writeWhole(fd, content.bytes);
    else if (object.sizeBytes > 0) ftruncateSync(fd, object.sizeBytes);
    dropInherited(form, fd, object);
    giveAttributes(form, fd, object);
    form.writeMark(fd, { oid: object.oid, holding });
  } finally {
    closeSync(fd);
  }
  return holding;
}

/**
 * Makes the directory of an object that a program makes here, empty and so with all its entries. What it inherits
 * on the disk, it is to have: only what differs is set.
 *
 * @throws the system's error, after removing what was made
 */
export function makeEmptyDirectory(form: InodeForm, path: string, object: TreeObject): void {
  form.makeDirectory(path, object.mode);
  try {
    giveAttributes(form, path, object);
    form.writeMark(path, { oid: object.oid, holding: WHOLE });
  } catch (error) {
    rmdirSync(osPath(path));
    throw error;
  }
}

/**
 * Owner, mode, extended attributes and mtime of a file or directory that was just made, in the order in which none
 * undoes another. Most are made with the owner and the mode that they are to have.
 */
export function giveAttributes(form: InodeForm, place: InodePlace, object: InodeAttributes): void {
  const made = typeof place === "number" ? form.statOf(place) : form.stat(place);
  if (made === undefined) throw new ErrnoError("ENOENT", `Cannot make "${place}": it is gone`);
  giveAllButTime(form, place, object, made);
  if (typeof place === "number") futimens(place, "omit", object.mtimeNs);
  else utimens(osPath(place), "omit", object.mtimeNs, { noFollow: true });
}

/** {@link giveAttributes} of what has its time already, as it was found to be made. */
export function giveAllButTime(
  form: InodeForm,
  place: InodePlace,
  object: Omit<InodeAttributes, "mtimeNs">,
  made: Pick<Stat, "uid" | "gid" | "mode">,
): void {
  const owner = shownOwner(form, object);
  const isOwnerSame = made.uid === owner.uid && made.gid === owner.gid;
  if (!isOwnerSame) form.setOwner(place, object);
  // The extended attributes come before the mode, which an access control list would change.
  for (const [name, value] of replicatedXattrs(object)) form.setXattr(place, name, value);
  const isModeSame = (made.mode & 0o7777) === (object.mode & 0o7777);
  if (!isOwnerSame || object.xattrs.size > 0 || !isModeSame) form.setMode(place, object.mode);
}

function finish(form: InodeForm, path: string, object: TreeObject, holding: Holding): Holding {
  giveAttributesAt(form, path, object);
  form.writeMark(path, { oid: object.oid, holding });
  return holding;
}

/** {@link giveAttributes} of what has no descriptor: a directory, a symlink, a special file. */
export function giveAttributesAt(form: InodeForm, path: string, object: InodeAttributes): void {
  form.setOwner(path, object);
  if (object.kind !== "symlink") dropInherited(form, path, object);
  for (const [name, value] of replicatedXattrs(object)) form.setXattr(path, name, value);
  if (object.kind !== "symlink") form.setMode(path, object.mode);
  utimens(osPath(path), "omit", object.mtimeNs, { noFollow: true });
}

/** Takes the access control lists away that an inode got from its directory and its object does not have. */
function dropInherited(form: InodeForm, place: InodePlace, object: InodeAttributes): void {
  for (const name of ["system.posix_acl_access", "system.posix_acl_default"]) {
    if (object.xattrs.has(name)) continue;
    if (name.endsWith("default") && object.kind !== "directory") continue;
    if (form.getXattr(place, name) !== undefined) form.removeXattr(place, name);
  }
}

/**
 * Makes owner, mode and extended attributes of an inode those of its object, touching only what differs.
 *
 * @returns whether anything did
 */
export function updateAttributes(form: InodeForm, path: string, object: TreeObject): boolean {
  const stat = form.stat(path);
  if (stat === undefined) throw new ErrnoError("ENOENT", `Cannot update "${path}": it is missing`);
  const owner = shownOwner(form, object);
  const isOwnerSame = stat.uid === owner.uid && stat.gid === owner.gid;
  if (!isOwnerSame) form.setOwner(path, owner);
  const isXattrsSame = !updateXattrs(form, path, object);
  const mode = object.mode & 0o7777;
  const isModeSame = object.kind === "symlink" || (stat.mode & 0o7777) === mode;
  // A change of the owner takes set-ID bits away.
  if (!isModeSame || (!isOwnerSame && object.kind !== "symlink")) form.setMode(path, mode);
  return !(isOwnerSame && isXattrsSame && isModeSame);
}

/** Sets the mtime of an inode to its object's where it differs. @returns whether it did */
export function updateTime(path: string, object: TreeObject): boolean {
  const at = osPath(path);
  if (fstatat(AT_FDCWD, at, { noFollow: true }).mtimeNs === object.mtimeNs) return false;
  utimens(at, "omit", object.mtimeNs, { noFollow: true });
  return true;
}

/**
 * The attributes of an inode as it is on the disk, not following a symlink; undefined when there is
 * nothing. Its owner, mode and kind are those that programs see only in one form: see `InodeForm.stat`.
 */
export function statInode(path: string): Stat | undefined {
  return fstatat(AT_FDCWD, osPath(path), { noFollow: true, throwIfNoEntry: false });
}

/** @returns whether any differed */
function updateXattrs(form: InodeForm, path: string, object: TreeObject): boolean {
  let isChanged = false;
  for (const name of form.listXattrs(path)) {
    if (!isReplicatedXattr(name) || object.xattrs.has(name)) continue;
    form.removeXattr(path, name);
    isChanged = true;
  }
  for (const [name, value] of replicatedXattrs(object)) {
    const standing = form.getXattr(path, name);
    if (standing?.equals(value) === true) continue;
    form.setXattr(path, name, value);
    isChanged = true;
  }
  return isChanged;
}

/** Whatever a log names, the mark and what else belongs to this machine is not a server's to set. */
function* replicatedXattrs({
  xattrs,
}: Pick<InodeAttributes, "xattrs">): Iterable<[name: string, value: Uint8Array]> {
  for (const [name, { value }] of xattrs) if (isReplicatedXattr(name)) yield [name, value];
}
