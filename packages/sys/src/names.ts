import { checkResult } from "./check-result.ts";
import { native } from "./native/load.ts";
import { scratch } from "./native/scratch.ts";
import type { Path } from "./path.ts";

// Names made, removed and read relative to a directory descriptor: what is meant stays meant when a directory above is
// renamed or replaced in the meantime. A `dirfd` may be AT_FDCWD.

const AT_REMOVEDIR = 0x200; // linux/fcntl.h
const AT_SYMLINK_FOLLOW = 0x400;

/**
 * Makes a directory: mkdirat(2). The process's umask is taken off `mode`.
 *
 * @throws {SysError} EEXIST when the name is taken, by whatever.
 */
export function mkdirat(dirfd: number, path: Path, mode: number): void {
  checkResult(native().mkdirat(dirfd, path, mode), "mkdirat", path);
}

/**
 * Removes a name that is not a directory's, or with `directory` an empty directory: unlinkat(2).
 *
 * @throws {SysError} EISDIR, ENOTDIR when it is the other; ENOTEMPTY.
 */
export function unlinkat(
  dirfd: number,
  path: Path,
  options: { readonly directory?: boolean } = {},
): void {
  checkResult(
    native().unlinkat(dirfd, path, options.directory === true ? AT_REMOVEDIR : 0),
    "unlinkat",
    path,
  );
}

/**
 * Makes a symlink at `path` that points to `target`: symlinkat(2).
 *
 * @throws {SysError} EEXIST; ENOENT for an empty target.
 */
export function symlinkat(target: Path, dirfd: number, path: Path): void {
  checkResult(native().symlinkat(target, dirfd, path), "symlinkat", target, path);
}

/**
 * Gives the inode at `from` a further name: linkat(2). A symlink at `from` is itself linked, unless `follow`.
 *
 * @throws {SysError} EEXIST; EXDEV; EPERM for a directory.
 */
export function linkat(
  fromDirfd: number,
  from: Path,
  toDirfd: number,
  to: Path,
  options: { readonly follow?: boolean } = {},
): void {
  checkResult(
    native().linkat(fromDirfd, from, toDirfd, to, options.follow === true ? AT_SYMLINK_FOLLOW : 0),
    "linkat",
    from,
    to,
  );
}

/**
 * Gives an open file a name, also one that has none yet (O_TMPFILE): a file appears complete or not at all.
 *
 * Works without privileges where /proc is mounted.
 *
 * @throws {SysError} EEXIST; ENOENT when the file was opened with a name and has lost its last one.
 */
export function linkFd(fd: number, dirfd: number, path: Path): void {
  checkResult(native().linkFd(fd, dirfd, path), "linkat", path);
}

/**
 * The target of a symlink, in bytes: readlinkat(2). An empty path means `dirfd` itself, opened with O_PATH | O_NOFOLLOW.
 *
 * @throws {SysError} EINVAL when it is not a symlink.
 */
export function readlinkat(dirfd: number, path: Path): Buffer {
  const length = checkResult(native().readlinkat(dirfd, path, scratch()), "readlinkat", path);
  return Buffer.from(scratch().subarray(0, length));
}
