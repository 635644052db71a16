/**
 * Inodes that stand for what their user could not make: the cache of a mount without root's rights.
 *
 * Each is a regular file or a directory of that user, which he can always read and write. The attribute
 * `user.izo` says what it stands for (`inode-meaning.ts`). Symlinks, FIFOs, sockets and devices are files; that of a symlink
 * holds the target. Only the mount shows the tree, so nobody else has to make sense of it.
 *
 * Extended attributes that the user may not set have names below `user.izo.`.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

import { bytesToText, textToBytes } from "@izo/core";
import { AT_FDCWD, fchmodat, fstat, O_TMPFILE, renameat2, type Stat, SysError } from "@izo/sys";

import { ErrnoError } from "../../fuse/errno.ts";
import { osPath } from "../tree/cache-paths.ts";
import { ACCESS_ACL, isList, isModeOnly, modeOf, withMode } from "./access-control-list.ts";
import type { InodeForm, InodePlace, Owner } from "./inode-form.ts";
import {
  isSpecial,
  MAPPED_MARK,
  type Meaning,
  meaningOf,
  NO_MARK,
  readMeaning,
  writeMeaning,
} from "./inode-meaning.ts";
import { CREATE_FLAGS, statInode } from "./inode.ts";
import { formatMark, type ObjectMark, parseMark } from "./object-mark.ts";
import { getXattr, listXattrs, removeXattr, setXattr } from "./place-xattr.ts";

const MAPPED_PREFIX = `${MAPPED_MARK}.`;

/** Their user can always read and write them, whatever they show. */
const OWN_FILE_MODE = 0o600;
const OWN_DIRECTORY_MODE = 0o700;

export class MappedForm implements InodeForm {
  readonly name = "mapped";
  readonly soleOwner: Owner;
  /** All are files and directories that their user may read. */
  readonly remainsFlags = constants.O_RDONLY | constants.O_NOFOLLOW;
  readonly #stagingPath: string;

  /**
   * @param stagingPath on the cache's file system; emptied at start
   * @param owner who mounts
   */
  constructor(stagingPath: string, owner: Owner) {
    this.#stagingPath = stagingPath;
    this.soleOwner = owner;
  }

  readMark(path: string): ObjectMark | undefined {
    const meaning = readMeaning(path);
    return meaning === undefined ? undefined : parseMark(meaning.mark);
  }

  writeMark(place: InodePlace, mark: ObjectMark): void {
    const meaning = { ...meaningOf(place), mark: formatMark(mark) };
    try {
      writeMeaning(place, meaning);
    } catch (error) {
      const isForbidden = error instanceof SysError && error.code === "EPERM";
      if (typeof place === "number" || !isForbidden) throw error;
      // Somebody has put a true symlink or FIFO into the cache: those take no attributes of users.
      this.#replaceByStandIn(place, meaning);
    }
  }

  stat(path: string): Stat | undefined {
    const stat = statInode(path);
    return stat && this.#shown(stat, readMeaning(path));
  }

  statOf(fd: number): Stat {
    return this.#shown(fstat(fd), readMeaning(fd));
  }

  entryType(path: string, type: number): number {
    if (type !== constants.S_IFREG) return type;
    return (readMeaning(path)?.mode ?? type) & constants.S_IFMT;
  }

  readlink(path: string): Buffer {
    const stat = statInode(path);
    const isTrueSymlink =
      stat !== undefined && (stat.mode & constants.S_IFMT) === constants.S_IFLNK;
    return isTrueSymlink ? readlinkSync(osPath(path), "buffer") : readFileSync(osPath(path));
  }

  readonly makeFiles = undefined;

  makeFile(path: string): number {
    return openSync(osPath(path), CREATE_FLAGS, OWN_FILE_MODE);
  }

  makeNameless(directory: string): number {
    return openSync(osPath(directory), O_TMPFILE | constants.O_RDWR, OWN_FILE_MODE);
  }

  makeDirectory(path: string): void {
    mkdirSync(osPath(path), OWN_DIRECTORY_MODE);
  }

  makeSymlink(path: string, target: Buffer): void {
    const staged = this.#stage({ mode: constants.S_IFLNK | 0o777, rdev: 0, mark: NO_MARK }, target);
    renameat2(AT_FDCWD, staged, AT_FDCWD, osPath(path), { noReplace: true });
  }

  makeSpecial(path: string, mode: number, rdev: number): void {
    if (!isSpecial(mode)) {
      throw new ErrnoError("EINVAL", `Cannot make "${path}": mode ${mode.toString(8)} is none`);
    }
    const staged = this.#stage({ mode, rdev, mark: NO_MARK });
    renameat2(AT_FDCWD, staged, AT_FDCWD, osPath(path), { noReplace: true });
  }

  setOwner(): void {
    // All are the user's.
  }

  setMode(place: InodePlace, mode: number): void {
    const meaning = meaningOf(place);
    const list = getXattr(place, MAPPED_PREFIX + ACCESS_ACL);
    if (list !== undefined && isList(list)) {
      setXattr(place, MAPPED_PREFIX + ACCESS_ACL, withMode(list, mode));
    }
    const next = withPermissions(meaning.mode, mode & 0o7777);
    if (next !== meaning.mode) writeMeaning(place, { ...meaning, mode: next });
    // A disk notes the time also where the mode was that.
    else touch(place, next);
  }

  changeRemains(fd: number, _owner: Owner | undefined, mode: number | undefined): void {
    if (mode !== undefined) this.setMode(fd, mode);
  }

  getXattr(place: InodePlace, name: string): Buffer | undefined {
    return getXattr(place, storedName(name));
  }

  listXattrs(place: InodePlace): string[] {
    return listXattrs(place).map((bytes) => {
      const name = bytesToText(bytes);
      return name.startsWith(MAPPED_PREFIX) ? name.slice(MAPPED_PREFIX.length) : name;
    });
  }

  setXattr(place: InodePlace, name: string, value: Uint8Array): void {
    const list = Buffer.from(value);
    if (name !== ACCESS_ACL || !isList(list)) {
      setXattr(place, storedName(name), value);
      return;
    }
    // A list that says no more than a mode is none: acl(5).
    if (!isModeOnly(list)) setXattr(place, storedName(name), list);
    else if (this.getXattr(place, name) !== undefined) this.removeXattr(place, name);
    const meaning = meaningOf(place);
    const mode = withPermissions(meaning.mode, (meaning.mode & 0o7000) | modeOf(list));
    writeMeaning(place, { ...meaning, mode });
  }

  removeXattr(place: InodePlace, name: string): void {
    removeXattr(place, storedName(name));
  }

  #shown(stat: Stat, meaning: Meaning | undefined): Stat {
    const { mode, rdev } = meaning ?? stat;
    return { ...stat, ...this.soleOwner, mode, rdev };
  }

  /** A stand-in appears with all that it is: without it, it would pass for a file that a program has made. */
  #stage(meaning: Meaning, content: Buffer = NO_MARK): string {
    const staged = join(this.#stagingPath, "stand-in");
    rmSync(staged, { force: true });
    const fd = openSync(staged, CREATE_FLAGS, OWN_FILE_MODE);
    try {
      for (let offset = 0; offset < content.length;) offset += writeSync(fd, content, offset);
      writeMeaning(fd, meaning);
    } finally {
      closeSync(fd);
    }
    return staged;
  }

  #replaceByStandIn(path: string, meaning: Meaning): void {
    const isSymlink = (meaning.mode & constants.S_IFMT) === constants.S_IFLNK;
    const staged = this.#stage(meaning, isSymlink ? this.readlink(path) : undefined);
    renameSync(staged, osPath(path));
  }
}

/** Moves the time of change. */
function touch(place: InodePlace, mode: number): void {
  const own = (mode & constants.S_IFMT) === constants.S_IFDIR ? OWN_DIRECTORY_MODE : OWN_FILE_MODE;
  if (typeof place === "number") fchmodSync(place, own);
  else fchmodat(AT_FDCWD, osPath(place), own);
}

function storedName(name: string): Uint8Array {
  return textToBytes(name.startsWith("user.") ? name : MAPPED_PREFIX + name);
}

function withPermissions(mode: number, permissions: number): number {
  return (mode & constants.S_IFMT) | permissions;
}
