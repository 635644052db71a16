import { renameSync, rmSync } from "node:fs";

import { AT_FDCWD, renameat2, SysError } from "@izo/sys";

import { osPath } from "./cache-paths.ts";

/**
 * Gives a file the name of another, which is removed, and does not have its content written to the disk for that. ext4
 * takes a plain rename(2) over a file for an atomic save, and begins to write all of the new one at once, within the call
 * (`auto_da_alloc` in ext4(5)): for 1 GiB that held up the event loop for a second.
 *
 * A crash can leave the other one under the first name, so that has to be where what is left is cleared away.
 *
 * @throws the disk's errors
 */
export function takePlace(path: string, of: string): void {
  try {
    renameat2(AT_FDCWD, osPath(path), AT_FDCWD, osPath(of), { exchange: true });
  } catch (error) {
    // The file system cannot swap names.
    if (!(error instanceof SysError) || error.code !== "EINVAL") throw error;
    renameSync(osPath(path), osPath(of));
    return;
  }
  rmSync(osPath(path), { force: true });
}
