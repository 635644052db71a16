import { checkResult } from "./check-result.ts";
import { native } from "./native/load.ts";
import { AT_FDCWD, type Path } from "./path.ts";

/**
 * Makes a FIFO, socket, device or empty regular file: mknod(2).
 *
 * @param mode type and permissions, such as `fs.constants.S_IFIFO | 0o644`; the process's umask is taken off.
 * @param device for S_IFCHR and S_IFBLK, see {@link makeDevice}; ignored for other types.
 * @throws {SysError} EPERM for a device without CAP_MKNOD; EINVAL for a directory or symlink.
 */
export function mknodat(dirfd: number, path: Path, mode: number, device = 0): void {
  checkResult(native().mknodat(dirfd, path, mode, device), "mknodat", path);
}

/** {@link mknodat} of a path relative to the working directory. */
export function mknod(path: Path, mode: number, device = 0): void {
  mknodat(AT_FDCWD, path, mode, device);
}
