/** Inodes that are what they show: the cache of a mount that has root's rights. */
import {
  constants,
  fchmodSync,
  fchownSync,
  mkdirSync,
  openSync,
  readlinkSync,
  symlinkSync,
} from "node:fs";

import { bytesToText, textToBytes } from "@izo/core";
import { AT_FDCWD, fchmodat, fchownat, fstat, makeFiles, mknod, O_PATH, O_TMPFILE } from "@izo/sys";

import { osPath } from "../tree/cache-paths.ts";
import type { InodeForm, InodePlace } from "./inode-form.ts";
import { CREATE_FLAGS, statInode } from "./inode.ts";
import { formatMark, parseMark } from "./object-mark.ts";
import { getXattr, listXattrs, removeXattr, setXattr } from "./place-xattr.ts";

/** In `trusted.`: seen and set only by root, and possible on symlinks and special files too. */
export const DIRECT_MARK = "trusted.izo";

const NO_FOLLOW = { noFollow: true } as const;

export const DIRECT_FORM: InodeForm = {
  name: "direct",
  soleOwner: undefined,
  remainsFlags: O_PATH | constants.O_NOFOLLOW,

  readMark(path) {
    const bytes = getXattr(path, DIRECT_MARK);
    return bytes === undefined ? undefined : parseMark(bytes);
  },

  writeMark(place, mark) {
    setXattr(place, DIRECT_MARK, formatMark(mark));
  },

  stat: statInode,
  statOf: fstat,
  entryType: (_path, type) => type,
  readlink: (path) => readlinkSync(osPath(path), "buffer"),

  makeFile: (path, mode) => openSync(osPath(path), CREATE_FLAGS, mode & 0o777),

  makeFiles: (dirFd, files) =>
    makeFiles(
      dirFd,
      DIRECT_MARK,
      files.map(({ name, object, content, holding }) => ({
        name: textToBytes(name),
        mode: object.mode,
        uid: object.uid,
        gid: object.gid,
        mtimeNs: object.mtimeNs,
        content,
        sizeBytes: object.sizeBytes,
        mark: formatMark({ oid: object.oid, holding }),
      })),
    ),

  makeNameless: (directory, mode) =>
    openSync(osPath(directory), O_TMPFILE | constants.O_RDWR, mode & 0o777),

  makeDirectory(path, mode) {
    mkdirSync(osPath(path), mode & 0o777);
  },

  makeSymlink(path, target) {
    symlinkSync(target, osPath(path));
  },

  makeSpecial(path, mode, rdev) {
    mknod(osPath(path), mode, rdev);
  },

  setOwner(place, { uid, gid }) {
    if (typeof place === "number") fchownSync(place, uid, gid);
    else fchownat(AT_FDCWD, osPath(place), uid, gid, NO_FOLLOW);
  },

  setMode(place, mode) {
    if (typeof place === "number") fchmodSync(place, mode & 0o7777);
    else fchmodat(AT_FDCWD, osPath(place), mode & 0o7777);
  },

  changeRemains(fd, owner, mode) {
    // A descriptor that only names an inode is refused by the calls for descriptors.
    const path = `/proc/self/fd/${fd}`;
    if (owner !== undefined) fchownat(AT_FDCWD, path, owner.uid, owner.gid);
    if (mode !== undefined) fchmodat(AT_FDCWD, path, mode & 0o7777);
  },

  getXattr: (place, name) => getXattr(place, textToBytes(name)),
  listXattrs: (place: InodePlace) => listXattrs(place).map(bytesToText),
  setXattr: (place, name, value) => setXattr(place, textToBytes(name), value),
  removeXattr: (place, name) => removeXattr(place, textToBytes(name)),
};
