/**
 * How an inode of the cache shows its object: the one place in which a mount of root and one of an
 * ordinary user differ (docs/decisions/0015).
 *
 * - *direct*: the inode is what it shows. It takes CAP_SYS_ADMIN for the mark, and root's rights to give
 *   files away, to make devices, and to open what nobody may read.
 * - *mapped*: the inode is a plain file or directory of the user who mounts, and says in its mark what it
 *   stands for.
 *
 * A cache has one form for life: its `lock` says which (`cache-lock.ts`).
 */
import type { Name, TreeObject } from "@izo/core";
import type { Stat } from "@izo/sys";

import type { Holding, ObjectMark } from "./object-mark.ts";

/** An inode: by a path below the cache, of which a symlink at the end is not followed, or by an open descriptor. */
export type InodePlace = string | number;

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** A file without extended attributes that is made as a whole, or as a placeholder without content. */
export interface NewFile {
  readonly name: Name;
  readonly object: TreeObject;
  readonly content: Uint8Array;
  readonly holding: Holding;
}

export interface InodeForm {
  readonly name: "direct" | "mapped";

  /** Who all inodes show as their owner; undefined where each shows its object's. */
  readonly soleOwner: Owner | undefined;

  /** Flags of open(2) for an inode of any kind that goes, so that it can be asked what it is. */
  readonly remainsFlags: number;

  /** Undefined when it has none. @throws SysError */
  readMark(path: string): ObjectMark | undefined;
  writeMark(place: InodePlace, mark: ObjectMark): void;

  /** Its attributes, as programs see them; undefined when there is nothing. */
  stat(path: string): Stat | undefined;
  statOf(fd: number): Stat;

  /** The type bits of an entry that a listing of the cache's directory gave as `type`. */
  entryType(path: string, type: number): number;

  /** The target of a symlink, in bytes. */
  readlink(path: string): Buffer;

  /**
   * Makes an empty file at a free path, with these permission bits or fewer: a descriptor for reading and
   * writing. Never follows, replaces or shares anything. @throws the system's error
   */
  makeFile(path: string, mode: number): number;

  /**
   * Makes plain files in a directory together, each with content, attributes and mark; undefined where a form has to make
   * them one by one.
   *
   * @param dirFd that directory, open
   * @returns for each whether it was made; nothing is left of one that was not
   */
  readonly makeFiles:
    | ((dirFd: number, files: readonly NewFile[]) => readonly boolean[])
    | undefined;

  /**
   * Makes an empty file that has no name, on the file system of a directory, with these permission bits or fewer: a
   * descriptor for reading and writing. @throws the system's error, EOPNOTSUPP where a file system has none
   */
  makeNameless(directory: string, mode: number): number;

  /** Makes an empty directory at a free path, with these permission bits or fewer. @throws the system's error */
  makeDirectory(path: string, mode: number): void;

  /** Makes a symlink in one step. @throws the system's error, EEXIST where the path is taken */
  makeSymlink(path: string, target: Buffer): void;

  /** Makes a FIFO, socket or device in one step; `mode` says which. As {@link makeSymlink}. */
  makeSpecial(path: string, mode: number, rdev: number): void;

  setOwner(place: InodePlace, owner: Owner): void;

  /** Sets the permission bits, as chmod(2): what of them an access control list says changes with them. */
  setMode(place: InodePlace, mode: number): void;

  /** {@link setOwner} and {@link setMode} of what has no name any more, also by a descriptor that only names it. */
  changeRemains(fd: number, owner: Owner | undefined, mode: number | undefined): void;

  /** Extended attributes as programs see them. An access control list changes the mode, as on a disk. */
  getXattr(place: InodePlace, name: string): Buffer | undefined;
  /** Also those of the cache itself. */
  listXattrs(place: InodePlace): string[];
  setXattr(place: InodePlace, name: string, value: Uint8Array): void;
  removeXattr(place: InodePlace, name: string): void;
}

/** The owner that the inode of an object shows. */
export function shownOwner({ soleOwner }: InodeForm, object: Owner): Owner {
  return soleOwner ?? object;
}
