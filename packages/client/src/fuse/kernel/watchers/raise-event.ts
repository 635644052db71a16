/**
 * Has the kernel tell the programs that watch a mount of a change that somebody else has made, by doing it once
 * more through the mount. The driver knows that it is asked for this and changes nothing: see `StagedAnswers`.
 * What the kernel raises then is what it raises for a program of this machine.
 */
import { closeSync, constants } from "node:fs";

import {
  AT_FDCWD,
  fstatat,
  mkdirat,
  mknodat,
  O_PATH,
  openat,
  openat2,
  renameat2,
  symlinkat,
  SysError,
  unlinkat,
  utimensat,
} from "@izo/sys";

import type { WatchedChange } from "../../watched-change.ts";

/** A name below the mount point. */
export interface RaisedName {
  /** From the mount point, without a slash in front; empty for the mount's root. */
  readonly directory: Uint8Array;
  readonly name: Uint8Array;
}

/** What is to be done at a name. */
export interface RaisedEvent extends RaisedName {
  readonly kind: WatchedChange["kind"];
  /** What has moved had this name. */
  readonly from: RaisedName | undefined;
  /** Of what is there, or was there: as `st_mode`. */
  readonly mode: number;
  /** For a regular file: it has bytes, so that somebody has written to it. */
  readonly hasContent: boolean;
}

/** Where the mount is, and the name that only its driver knows. */
export interface RaisedAt {
  readonly mountPoint: string;
  readonly token: string;
}

/** What the driver answers to a look-up of the token by the thread that raises events. */
export const TOKEN_ERRNO = "EPROTO";

const DIRECTORY = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A directory in the mount's root that nobody else finds or watches: what replaces something comes from there. */
export const NOWHERE_SUFFIX = "-from";

/** @throws SysError where the kernel, or the driver, does not go along: then nobody is told */
export function raiseEvent({ mountPoint, token }: RaisedAt, event: RaisedEvent): void {
  const opened: number[] = [];
  const open = (fd: number): number => (opened.push(fd), fd);
  try {
    const root = open(openat(AT_FDCWD, mountPoint, O_PATH | constants.O_DIRECTORY));
    const directory = open(openDirectory(root, event.directory));
    if (event.kind === "made" && isMountPoint(directory, event)) return;
    if (event.kind === "moved") {
      const from = open(openDirectory(root, event.from!.directory));
      checkStaged(directory, token);
      renameat2(from, event.from!.name, directory, event.name);
    } else {
      checkStaged(directory, token);
      if (event.kind === "replaced") {
        const nowhere = open(openat(root, token + NOWHERE_SUFFIX, DIRECTORY));
        renameat2(nowhere, event.name, directory, event.name);
      }
      change(directory, event);
    }
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

function openDirectory(root: number, path: Uint8Array): number {
  const way = { beneath: true, noXdev: true, noSymlinks: true };
  return openat2(root, path.length === 0 ? "." : path, DIRECTORY, way);
}

/** What is mounted on a directory would be lost with the entry that the kernel has of it. */
function isMountPoint(directory: number, { name, mode }: RaisedEvent): boolean {
  if ((mode & constants.S_IFMT) !== constants.S_IFDIR) return false;
  try {
    closeSync(openat2(directory, name, DIRECTORY, { noXdev: true }));
    return false;
  } catch (error) {
    return error instanceof SysError && error.code === "EXDEV";
  }
}

/** The device of the mount at a path. @throws Error where another file system is mounted there */
export function deviceOf({ mountPoint, token }: RaisedAt): number {
  const root = openat(AT_FDCWD, mountPoint, O_PATH | constants.O_DIRECTORY);
  try {
    checkStaged(root, token);
    return Number(fstatat(root, ".").dev);
  } finally {
    closeSync(root);
  }
}

/**
 * Only the driver of this mount answers so, and only where it knows this thread: what is done next in any other file
 * system, or as anybody else, would be done in earnest.
 */
function checkStaged(directory: number, token: string): void {
  try {
    fstatat(directory, token);
  } catch (error) {
    if (error instanceof SysError && error.code === TOKEN_ERRNO) return;
    throw error;
  }
  throw new Error("Cannot raise an event: something has the name that nothing can have");
}

function change(directory: number, { kind, name, mode, hasContent }: RaisedEvent): void {
  const type = mode & constants.S_IFMT;
  if (kind === "removed") unlinkat(directory, name, { directory: type === constants.S_IFDIR });
  if (kind === "made") make(directory, name, mode);
  // An mtime alone is taken for a write by the kernel, both times are taken for a utime(2).
  if (kind === "attributes") utimensat(directory, name, 0n, 0n, { noFollow: true });
  const hasCome = kind === "made" || kind === "replaced";
  if (kind === "written" || (hasCome && hasContent)) write(directory, name, mode);
}

function make(directory: number, name: Uint8Array, mode: number): void {
  const type = mode & constants.S_IFMT;
  if (type === constants.S_IFDIR) mkdirat(directory, name, 0o700);
  else if (type === constants.S_IFLNK) symlinkat(name, directory, name);
  else mknodat(directory, name, type | 0o600);
}

function write(directory: number, name: Uint8Array, mode: number): void {
  utimensat(directory, name, "omit", 0n, { noFollow: true });
  // While a file is open for writing nobody can execute it.
  if ((mode & 0o111) !== 0) return;
  const flags = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  closeSync(openat(directory, name, flags));
}
