import { checkResult } from "./check-result.ts";
import { native } from "./native/load.ts";
import type { Path } from "./path.ts";

/** How umount2(2) goes about it. */
export interface UmountOptions {
  /** Detach at once, and finish when the last user is gone (MNT_DETACH): never waits for a file system that hangs. */
  readonly lazy?: boolean;
  /** Abort what is pending on a FUSE or network file system (MNT_FORCE). */
  readonly force?: boolean;
  /** Refuse a symlink (UMOUNT_NOFOLLOW). */
  readonly noFollow?: boolean;
}

// linux/fs.h
const MNT_FORCE = 1;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

/**
 * Unmounts what is mounted at `path`: umount2(2). Without `lazy`, looking the path up may block on a mount that hangs.
 *
 * @throws {SysError} EINVAL when nothing is mounted there; EBUSY when in use; EPERM without CAP_SYS_ADMIN (use fusermount3).
 */
export function umount2(path: Path, options: UmountOptions = {}): void {
  const flags =
    (options.lazy === true ? MNT_DETACH : 0) |
    (options.force === true ? MNT_FORCE : 0) |
    (options.noFollow === true ? UMOUNT_NOFOLLOW : 0);
  checkResult(native().umount2(path, flags), "umount2", path);
}
