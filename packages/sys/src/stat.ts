import { checkResult, ERRNO } from "./check-result.ts";
import { makeDevice } from "./device-number.ts";
import { followFlags, type FollowOptions } from "./follow.ts";
import { native } from "./native/load.ts";
import type { Path } from "./path.ts";
import { timeNsOf } from "./time-range.ts";

/** What statx(2) says of an inode. */
export interface Stat {
  /** The device of the file system. With `ino` it names an inode, as long as the inode lives: numbers are reused at once. */
  readonly dev: bigint;
  readonly ino: bigint;
  /** Type (S_IFMT) and permissions. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a character or block device, what it is: see {@link majorOf}, {@link minorOf}. Otherwise 0. */
  readonly rdev: number;
  /** In bytes. Rounded beyond 2^53. */
  readonly size: number;
  /** Space on disk, in units of 512 bytes. */
  readonly blocks: number;
  /** Times in nanoseconds since 1970, those beyond 64 bits as the nearest (`time-range.ts`). */
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** Birth: never changes, so it tells an inode from a later one of the same number. Undefined where the file system keeps none. */
  readonly btimeNs: bigint | undefined;
}

// struct stat_slots in native/stat.c: 8 bytes each, the inode as an integer, all others as doubles.
const SLOT_COUNT = 20;
const slots = new ArrayBuffer(SLOT_COUNT * 8);
const integers = new BigUint64Array(slots);
const doubles = new Float64Array(slots);

const AT_EMPTY_PATH = 0x1000; // linux/fcntl.h

/**
 * The attributes of what `path`, relative to the directory `dirfd`, names: statx(2).
 *
 * With `throwIfNoEntry: false`, undefined when there is nothing (ENOENT, ENOTDIR), as in Node's `fs.statSync`.
 *
 * @throws {SysError}
 */
export function fstatat(
  dirfd: number,
  path: Path,
  options?: FollowOptions & { readonly throwIfNoEntry?: true },
): Stat;
export function fstatat(
  dirfd: number,
  path: Path,
  options: FollowOptions & { readonly throwIfNoEntry: false },
): Stat | undefined;
export function fstatat(
  dirfd: number,
  path: Path,
  options: FollowOptions & { readonly throwIfNoEntry?: boolean } = {},
): Stat | undefined {
  const result = native().statx(dirfd, path, followFlags(options), slots);
  if (options.throwIfNoEntry === false && (result === ERRNO.ENOENT || result === ERRNO.ENOTDIR)) {
    return undefined;
  }
  checkResult(result, "statx", path);
  return readSlots();
}

/**
 * The attributes of an open file, O_PATH descriptors included.
 *
 * @throws {SysError}
 */
export function fstat(fd: number): Stat {
  checkResult(native().statx(fd, "", AT_EMPTY_PATH, slots), "statx");
  return readSlots();
}

function readSlots(): Stat {
  return {
    ino: integers[0] as bigint,
    mode: slot(1),
    nlink: slot(2),
    uid: slot(3),
    gid: slot(4),
    size: slot(5),
    blocks: slot(6),
    dev: BigInt(makeDevice(slot(7), slot(8))),
    rdev: makeDevice(slot(9), slot(10)),
    atimeNs: timeAt(12),
    mtimeNs: timeAt(14),
    ctimeNs: timeAt(16),
    btimeNs: slot(11) === 1 ? timeAt(18) : undefined,
  };
}

function slot(index: number): number {
  return doubles[index] as number;
}

function timeAt(index: number): bigint {
  return timeNsOf(slot(index), slot(index + 1));
}
