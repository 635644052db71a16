import { checkResult } from "./check-result.ts";
import { native } from "./native/load.ts";

// Read leases, fcntl(2) "Leases". All calls want a descriptor opened O_RDONLY, of a regular file that the caller owns
// (else EACCES, unless CAP_LEASE). File systems without leases, such as FUSE and NFS, answer EINVAL.
// A lease belongs to the open file description, and so does the signal of its break: see native/lease.c for why that
// signal cannot end the process.

/**
 * Whether somebody can still write to the file: a descriptor open for writing anywhere on this machine, or a shared writable
 * mapping whose descriptor is closed. The caller's own writable descriptors count too.
 *
 * Asks by taking a read lease and dropping it in the same call. A lease that was held on this descriptor is dropped with it.
 * The answer is true of that moment: a writer may come right after.
 *
 * @throws {SysError}
 */
export function hasWriter(fd: number): boolean {
  return checkResult(native().hasWriter(fd), "fcntl") === 1;
}

/**
 * Takes a read lease and keeps it: who opens the file for writing then waits, for at most `/proc/sys/fs/lease-break-time`
 * seconds (with O_NONBLOCK, fails with EAGAIN), until {@link releaseLease}. Nothing tells the holder.
 *
 * @throws {SysError} EAGAIN when somebody can write.
 */
export function setReadLease(fd: number): void {
  checkResult(native().setReadLease(fd), "fcntl");
}

/**
 * Gives a lease back; writers that wait go on.
 *
 * @throws {SysError} EAGAIN when the descriptor holds none.
 */
export function releaseLease(fd: number): void {
  checkResult(native().releaseLease(fd), "fcntl");
}
