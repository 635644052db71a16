/** Bits of modes and flags that `node:fs` does not name; linux/stat.h and asm-generic/fcntl.h. */

/** Runs as its owner. */
export const S_ISUID = 0o4000;

/** Runs as its group; on a directory, hands its group on. */
export const S_ISGID = 0o2000;

const O_ACCMODE = 0o3;

/** Whether the flags of open(2) ask for more than reading. */
export function isForWriting(flags: number): boolean {
  return (flags & O_ACCMODE) !== 0;
}
