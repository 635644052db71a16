/** Flags of renameat2(2): linux/fs.h. */
import { ErrnoError } from "../fuse/errno.ts";

export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;

/** @throws ErrnoError EINVAL for what no file system here does */
export function checkRenameFlags(flags: number): void {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) !== 0)
    throw new ErrnoError("EINVAL", "Cannot rename: leaving a whiteout is not supported");
}
