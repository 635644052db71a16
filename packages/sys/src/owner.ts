import { checkResult } from "./check-result.ts";
import { followFlags, type FollowOptions } from "./follow.ts";
import { native } from "./native/load.ts";
import type { Path } from "./path.ts";

/**
 * Sets owner and group, -1 leaving one as it is: fchownat(2). The kernel drops the set-user-ID and set-group-ID bits of a
 * program on the way: set the mode after the owner.
 *
 * @throws {SysError} EPERM without CAP_CHOWN.
 */
export function fchownat(
  dirfd: number,
  path: Path,
  uid: number,
  gid: number,
  options: FollowOptions = {},
): void {
  checkResult(native().fchownat(dirfd, path, uid, gid, followFlags(options)), "fchownat", path);
}

/**
 * Sets the permission bits, the umask having no part in it: fchmodat(2).
 *
 * @throws {SysError} ENOTSUP with `noFollow` on a symlink: its mode cannot be changed on Linux.
 */
export function fchmodat(
  dirfd: number,
  path: Path,
  mode: number,
  options: FollowOptions = {},
): void {
  checkResult(native().fchmodat(dirfd, path, mode, followFlags(options)), "fchmodat", path);
}
