import { constants } from "node:fs";

/** asm-generic/fcntl.h. */
const O_ACCMODE = 0o3;

/** Whether the flags of open(2) ask for writing and nothing else. */
export function isForWritingAlone(flags: number): boolean {
  return (flags & O_ACCMODE) === constants.O_WRONLY;
}

/** Whether the flags of open(2) ask for more than reading. */
export function isForWriting(flags: number): boolean {
  return (flags & O_ACCMODE) !== 0;
}
