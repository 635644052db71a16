import { checkResult } from "./check-result.ts";
import { native } from "./native/load.ts";

/**
 * The mode bits of {@link fallocate}, linux/falloc.h. 0 reserves space and extends the file; the FUSE request carries the
 * same numbers.
 */
export const FALLOC = {
  KEEP_SIZE: 0x01,
  PUNCH_HOLE: 0x02,
  COLLAPSE_RANGE: 0x08,
  ZERO_RANGE: 0x10,
  INSERT_RANGE: 0x20,
  UNSHARE_RANGE: 0x40,
} as const;

/**
 * Reserves, punches, zeroes or moves space of an open file: fallocate(2).
 *
 * @param mode bits of {@link FALLOC}; PUNCH_HOLE goes with KEEP_SIZE.
 * @throws {SysError} ENOTSUP where the file system cannot; ENOSPC with nothing changed in size.
 */
export function fallocate(
  fd: number,
  mode: number,
  offsetBytes: number | bigint,
  lengthBytes: number | bigint,
): void {
  checkResult(native().fallocate(fd, mode, offsetBytes, lengthBytes), "fallocate");
}
