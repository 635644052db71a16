import { closeSync, constants } from "node:fs";

import { openat, setReadLease, SysError } from "@izo/sys";

/** Held as long as nobody may write to a file. */
export interface WritersOut extends Disposable {
  /** False where somebody had it open for writing, or mapped, already. */
  readonly areOut: boolean;
}

/**
 * Makes who opens a file for writing, or cuts it off, wait until this is disposed of: for some microseconds. Nothing may be awaited
 * meanwhile, nor may this process open the file for writing.
 *
 * @param name of a regular file
 * @returns undefined where that is not possible: a file system without leases, a file that is somebody else's
 */
export function keepWritersOut(dirFd: number, name: Uint8Array): WritersOut | undefined {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let fd: number | undefined;
  try {
    fd = openat(dirFd, name, flags);
    setReadLease(fd);
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    if (!(error instanceof SysError) || error.code === "ENOENT") throw error;
    return error.code === "EAGAIN" ? { areOut: false, [Symbol.dispose]: () => {} } : undefined;
  }
  const held = fd;
  // The lease goes with the descriptor.
  return { areOut: true, [Symbol.dispose]: () => closeSync(held) };
}
