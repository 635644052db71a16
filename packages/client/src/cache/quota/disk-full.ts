import { statfsSync } from "node:fs";

/** Fewer free blocks are what the file system itself may need for the next inode. */
const FEWEST_BLOCKS = 16;

/**
 * Tells whether an operation failed for want of space, at a path on the same disk. ENOSPC alone does
 * not say so: ext4 gives it for extended attributes that are too large for any inode.
 */
export function isDiskFull(error: unknown, path: string): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  if (error.code === "EDQUOT") return true;
  if (error.code !== "ENOSPC") return false;
  const { bavail, files, ffree } = statfsSync(path);
  return bavail < FEWEST_BLOCKS || (files > 0 && ffree === 0);
}
