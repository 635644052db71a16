import { checkResult } from "./check-result.ts";
import { native } from "./native/load.ts";

/**
 * Writes everything of the file system that holds `fd` to disk, and waits: syncfs(2). Blocks the thread, for as long as the
 * disk takes. Since Linux 5.8 it fails when a write-back of that file system failed since the descriptor was opened.
 *
 * @throws {SysError} EIO, ENOSPC, EDQUOT from the disk.
 */
export function syncfs(fd: number): void {
  checkResult(native().syncfs(fd), "syncfs");
}
