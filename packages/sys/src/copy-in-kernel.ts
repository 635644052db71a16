import { checkResult } from "./check-result.ts";
import { native } from "./native/load.ts";

/**
 * Makes `toFd` share all content of `fromFd`, copied only when one of them is written: ioctl_ficlone(2). Instant and atomic
 * on btrfs and XFS.
 *
 * @throws {SysError} ENOTSUP, EINVAL or ENOTTY where the file system cannot (ext4, tmpfs); EXDEV across file systems.
 */
export function reflink(fromFd: number, toFd: number): void {
  checkResult(native().reflink(fromFd, toFd), "ioctl_ficlone");
}

/**
 * Copies within the kernel and returns how many bytes: copy_file_range(2). Fewer than asked for is normal, 0 means the end
 * of `fromFd`. The descriptors' own positions stay. The file system may share the blocks, and holes may be filled.
 *
 * @throws {SysError} EXDEV, EINVAL or ENOTSUP for pairs of file systems that cannot: copy by reading then.
 */
export function copyFileRange(
  fromFd: number,
  fromOffsetBytes: number | bigint,
  toFd: number,
  toOffsetBytes: number | bigint,
  lengthBytes: number | bigint,
): number {
  return checkResult(
    native().copyFileRange(fromFd, fromOffsetBytes, toFd, toOffsetBytes, lengthBytes),
    "copy_file_range",
  );
}
