import { constants } from "node:fs";

import { checkResult } from "./check-result.ts";
import { native } from "./native/load.ts";
import type { Path } from "./path.ts";

/** A descriptor that only names a file: for `*at` calls, {@link fstat} and /proc/self/fd; no right on the file is needed. Not in `fs.constants`. */
export const O_PATH = 0o10000000; // asm-generic/fcntl.h

/** A nameless file in the directory given, gone when closed unless {@link linkFd} names it. Not in `fs.constants`. */
export const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY; // asm-generic/fcntl.h

/** How a path may be resolved: openat2(2), `resolve`. */
export interface ResolveOptions {
  /** Permissions of a file that is created, less the umask. Only with O_CREAT or O_TMPFILE (else EINVAL). */
  readonly mode?: number;
  /** Refuse whatever leads out of `dirfd`: "..", absolute paths, absolute symlinks (EXDEV). */
  readonly beneath?: boolean;
  /** Refuse symlinks anywhere in the path (ELOOP). Implies noMagicLinks. */
  readonly noSymlinks?: boolean;
  /** Refuse the links in /proc that lead to open files (ELOOP). */
  readonly noMagicLinks?: boolean;
  /** Refuse mount points (EXDEV). */
  readonly noXdev?: boolean;
  /** Treat `dirfd` as the root: "/" and ".." stay inside. */
  readonly inRoot?: boolean;
}

// linux/openat2.h
const RESOLVE_NO_XDEV = 0x01;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_BENEATH = 0x08;
const RESOLVE_IN_ROOT = 0x10;

/**
 * Opens relative to the directory `dirfd`: openat(2). The descriptor is close-on-exec; close it with `fs.closeSync`. Opening
 * a FIFO without O_NONBLOCK blocks the thread until there is a peer.
 *
 * @param flags of `fs.constants`, {@link O_PATH} or {@link O_TMPFILE}.
 * @param mode permissions of a file that is created, less the umask.
 * @throws {SysError}
 */
export function openat(dirfd: number, path: Path, flags: number, mode = 0o666): number {
  return checkResult(native().openat(dirfd, path, flags, mode), "openat", path);
}

/**
 * {@link openat} with limits on how the path is resolved, held by the kernel against concurrent renames and symlink swaps:
 * openat2(2), Linux 5.6.
 *
 * @throws {SysError} EXDEV, ELOOP for what the options refuse; EINVAL for flags that openat(2) would ignore.
 *
 * @example
 * openat2(root, record.path, constants.O_RDONLY, { beneath: true, noSymlinks: true });
 */
export function openat2(
  dirfd: number,
  path: Path,
  flags: number,
  options: ResolveOptions = {},
): number {
  const resolve =
    (options.noXdev === true ? RESOLVE_NO_XDEV : 0) |
    (options.noMagicLinks === true ? RESOLVE_NO_MAGICLINKS : 0) |
    (options.noSymlinks === true ? RESOLVE_NO_SYMLINKS : 0) |
    (options.beneath === true ? RESOLVE_BENEATH : 0) |
    (options.inRoot === true ? RESOLVE_IN_ROOT : 0);
  return checkResult(
    native().openat2(dirfd, path, flags, options.mode ?? 0, resolve),
    "openat2",
    path,
  );
}
