import { checkResult, ERRNO } from "./check-result.ts";
import type { CallResult } from "./native/addon.ts";
import { native } from "./native/load.ts";
import { scratch } from "./native/scratch.ts";
import type { Path } from "./path.ts";

// Extended attributes, xattr(7). The l-calls act on a symlink itself; the f-calls on an open file, not on an O_PATH
// descriptor. Names carry their namespace ("user.", "trusted.", "security.", "system.") and are bytes like file names. The
// kernel has no form relative to a directory descriptor before 6.13: `/proc/self/fd/<dirfd>/<name>` serves as one.

/** Whether the attribute must be new or must exist already; without it, either is right. */
export type XattrMode = "create" | "replace";

// linux/xattr.h
const SET_FLAGS = { create: 1, replace: 2 } as const;

/**
 * The value of an attribute, or undefined when there is none of that name (ENODATA).
 *
 * @throws {SysError} ENOTSUP where the file system has no attributes of that namespace.
 */
export function lgetxattr(path: Path, name: Path): Buffer | undefined {
  return readValue(native().lgetxattr(path, name, scratch()), "lgetxattr", path, name);
}

/** {@link lgetxattr} of an open file. */
export function fgetxattr(fd: number, name: Path): Buffer | undefined {
  return readValue(native().fgetxattr(fd, name, scratch()), "fgetxattr", name);
}

/**
 * Sets an attribute, replacing its value as a whole.
 *
 * @throws {SysError} EEXIST with `"create"`, ENODATA with `"replace"`, ENOSPC or EDQUOT when it does not fit (ext4: one
 * block for all attributes of a file), E2BIG beyond 64 KiB, EPERM for a "user." attribute of a symlink.
 */
export function lsetxattr(path: Path, name: Path, value: Uint8Array, mode?: XattrMode): void {
  checkResult(
    native().lsetxattr(path, name, value, mode === undefined ? 0 : SET_FLAGS[mode]),
    "lsetxattr",
    path,
    name,
  );
}

/** {@link lsetxattr} of an open file. */
export function fsetxattr(fd: number, name: Path, value: Uint8Array, mode?: XattrMode): void {
  checkResult(
    native().fsetxattr(fd, name, value, mode === undefined ? 0 : SET_FLAGS[mode]),
    "fsetxattr",
    name,
  );
}

/**
 * The names of all attributes that the caller may see ("trusted." ones need CAP_SYS_ADMIN), in no stated order.
 *
 * @throws {SysError} E2BIG when they are longer than 64 KiB together.
 */
export function llistxattr(path: Path): Buffer[] {
  return readNames(checkResult(native().llistxattr(path, scratch()), "llistxattr", path));
}

/** {@link llistxattr} of an open file. */
export function flistxattr(fd: number): Buffer[] {
  return readNames(checkResult(native().flistxattr(fd, scratch()), "flistxattr"));
}

/**
 * Removes an attribute.
 *
 * @throws {SysError} ENODATA when there is none of that name.
 */
export function lremovexattr(path: Path, name: Path): void {
  checkResult(native().lremovexattr(path, name), "lremovexattr", path, name);
}

/** {@link lremovexattr} of an open file. */
export function fremovexattr(fd: number, name: Path): void {
  checkResult(native().fremovexattr(fd, name), "fremovexattr", name);
}

function readValue(
  result: CallResult,
  syscall: string,
  path: Path,
  name?: Path,
): Buffer | undefined {
  if (result === ERRNO.ENODATA) {
    return undefined;
  }
  return Buffer.from(scratch().subarray(0, checkResult(result, syscall, path, name)));
}

/** Takes apart a list as listxattr(2) gives it: each name followed by a NUL. */
function readNames(length: number): Buffer[] {
  const list = Buffer.from(scratch().subarray(0, length));
  const names: Buffer[] = [];
  for (let start = 0; start < length;) {
    const end = list.indexOf(0, start);
    names.push(list.subarray(start, end));
    start = end + 1;
  }
  return names;
}
