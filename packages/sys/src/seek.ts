import { checkResult, ERRNO } from "./check-result.ts";
import { native } from "./native/load.ts";

// uapi/linux/fs.h
const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/**
 * The first offset at or after `offsetBytes` where there is data; undefined when only a hole follows, or the end: lseek(2)
 * SEEK_DATA. Moves the descriptor's position. A file system without holes calls everything data.
 *
 * @throws {SysError} EOVERFLOW for an answer beyond 2^53.
 */
export function seekData(fd: number, offsetBytes: number | bigint): number | undefined {
  return seek(fd, offsetBytes, SEEK_DATA);
}

/**
 * The first offset at or after `offsetBytes` where there is a hole, the end of the file counting as one; undefined beyond
 * the end: lseek(2) SEEK_HOLE. Moves the descriptor's position.
 *
 * @throws {SysError} EOVERFLOW for an answer beyond 2^53.
 */
export function seekHole(fd: number, offsetBytes: number | bigint): number | undefined {
  return seek(fd, offsetBytes, SEEK_HOLE);
}

function seek(fd: number, offsetBytes: number | bigint, whence: number): number | undefined {
  const result = native().lseek(fd, offsetBytes, whence);
  return result === ERRNO.ENXIO ? undefined : checkResult(result, "lseek");
}
