import { checkResult } from "./check-result.ts";
import { native } from "./native/load.ts";
import type { Path } from "./path.ts";

/** What renameat2(2) can do beyond rename(2). `exchange` excludes the other two (EINVAL). */
export interface RenameOptions {
  /** Fail with EEXIST when the new name is taken, instead of replacing it. */
  readonly noReplace?: boolean;
  /** Swap both names, which must exist, atomically: nothing is ever removed. */
  readonly exchange?: boolean;
  /** Leave a whiteout (character device 0:0) at the old name, as overlayfs wants it. */
  readonly whiteout?: boolean;
}

// linux/fs.h
const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;
const RENAME_WHITEOUT = 4;

/**
 * Renames, each path relative to its directory descriptor; symlinks are renamed, never followed: renameat2(2).
 *
 * @throws {SysError} EINVAL also where the file system does not know an option; ask {@link supportsExchange} before.
 *
 * @example
 * renameat2(staging, "new", tree, "file", { exchange: true }); // what "file" was is now staging/new
 */
export function renameat2(
  fromDirfd: number,
  from: Path,
  toDirfd: number,
  to: Path,
  options: RenameOptions = {},
): void {
  const flags =
    (options.noReplace === true ? RENAME_NOREPLACE : 0) |
    (options.exchange === true ? RENAME_EXCHANGE : 0) |
    (options.whiteout === true ? RENAME_WHITEOUT : 0);
  checkResult(native().renameat2(fromDirfd, from, toDirfd, to, flags), "renameat2", from, to);
}
