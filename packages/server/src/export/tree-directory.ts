import { closeSync, constants } from "node:fs";

import { directoryPath, ROOT_OID, textToBytes, type Oid, type StateReader } from "@izo/core";
import { openat, openat2 } from "@izo/sys";

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Opens the root of an export; all else is opened beneath it. */
export function openRoot(dir: string): number {
  return openat(-1, dir, DIRECTORY & ~constants.O_NOFOLLOW);
}

/**
 * Opens a directory of the tree by its path in `state`. The kernel refuses symlinks and whatever leads
 * out of the root, so nobody in the tree can make it lead elsewhere (design promise 6).
 *
 * @throws SysError ENOENT, ENOTDIR, ELOOP when the disk is not as the state says
 */
export function openTreeDirectory(rootFd: number, state: StateReader, oid: Oid): number {
  if (oid === ROOT_OID) return openat(rootFd, ".", DIRECTORY);
  const path = textToBytes(directoryPath(state, oid).slice(1));
  return openat2(rootFd, path, DIRECTORY, { beneath: true, noSymlinks: true });
}

/** Holds a descriptor for the length of a block. */
export function heldFd(fd: number): Disposable & { readonly fd: number } {
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

/** The errors that say that a name, or a directory on the way to it, is not there. */
export function isAbsence(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "ENOENT" || code === "ENOTDIR";
}
