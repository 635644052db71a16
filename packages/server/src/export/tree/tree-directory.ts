import { closeSync, constants } from "node:fs";

import { directoryPath, ROOT_OID, textToBytes, type Oid, type StateReader } from "@izo/core";
import { O_PATH, openat, openat2 } from "@izo/sys";

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

const INSIDE = { beneath: true, noSymlinks: true };

const STEP = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** `PATH_MAX` of linux/limits.h, less its NUL: what the kernel takes in one call. Programs come further down in steps. */
const MOST_BYTES = 4095;

const SLASH = 0x2f;

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
  const pieces = pathPieces(textToBytes(directoryPath(state, oid).slice(1)));
  const last = pieces.pop()!;
  let at = rootFd;
  try {
    for (const piece of pieces) {
      const next = openat2(at, piece, STEP, INSIDE);
      if (at !== rootFd) closeSync(at);
      at = next;
    }
    return openat2(at, last, DIRECTORY, INSIDE);
  } finally {
    if (at !== rootFd) closeSync(at);
  }
}

/** Cuts a path where it has to be opened in steps; each piece has at least one name. */
function pathPieces(path: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let rest = path;
  while (rest.length > MOST_BYTES) {
    const end = rest.lastIndexOf(SLASH, MOST_BYTES);
    pieces.push(rest.subarray(0, end));
    rest = rest.subarray(end + 1);
  }
  pieces.push(rest);
  return pieces;
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
