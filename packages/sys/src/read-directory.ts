import { checkResult } from "./check-result.ts";
import { native } from "./native/load.ts";
import { scratch } from "./native/scratch.ts";

/** The type of a directory entry; `unknown` where the file system does not say and a stat must. */
export type EntryType =
  | "fifo"
  | "character-device"
  | "directory"
  | "block-device"
  | "file"
  | "symlink"
  | "socket"
  | "unknown";

/** One entry of a directory. */
export interface DirectoryEntry {
  /** In bytes, without any encoding promised. */
  readonly name: Buffer;
  readonly type: EntryType;
  /** Of the entry's inode in the directory's own file system: at a mount point, the one underneath. */
  readonly ino: bigint;
  /**
   * Where a listing that begins there begins with this entry, in the file system's own terms (`telldir`): it stays when
   * others come and go, and goes up from entry to entry.
   */
  readonly position: bigint;
}

// DT_ numbers, linux/fs_types.h.
const TYPES: ReadonlyMap<number, EntryType> = new Map([
  [1, "fifo"],
  [2, "character-device"],
  [4, "directory"],
  [6, "block-device"],
  [8, "file"],
  [10, "symlink"],
  [12, "socket"],
]);

const SEEK_SET = 0;

/**
 * All entries of an open directory but "." and "..", in the file system's order: getdents64(2). It starts at the beginning
 * and moves the descriptor's position, so two listings must not share one.
 *
 * An entry made or removed meanwhile may be listed or not. An error half-way is an error of the whole: a listing that is
 * returned is complete, so a name that is not in it was absent at some moment of it.
 *
 * @throws {SysError} ENOTDIR; EBADF for an O_PATH descriptor; ENOENT for a directory that has been removed.
 */
export function readDirectory(fd: number): DirectoryEntry[] {
  checkResult(native().lseek(fd, 0, SEEK_SET), "lseek");
  const entries: DirectoryEntry[] = [];
  const block = scratch();
  let position = 0n;
  for (;;) {
    const length = checkResult(native().getdents64(fd, block), "getdents64");
    if (length === 0) {
      return entries;
    }
    // Copied as a whole: names are parts of it, and a copy of each would cost more than all else.
    const copy = Buffer.allocUnsafeSlow(length);
    block.copy(copy, 0, 0, length);
    const longs = new BigInt64Array(copy.buffer);
    let at = 0;
    while (at < length) {
      const start = at;
      at += takeEntry(copy, longs, start, position, entries);
      position = longs[(start + 8) >> 3]!;
    }
  }
}

/**
 * Reads the struct linux_dirent64 at `at` and returns its length: inode (8 bytes), position of the next (8), length (2),
 * type (1), name with NUL and padding to a multiple of 8. So `longs`, the block as numbers of 8 bytes, has the first two
 * whole. Little-endian, as are all architectures that Node's Linux releases run on but s390x.
 */
function takeEntry(
  block: Buffer,
  longs: BigInt64Array,
  at: number,
  position: bigint,
  entries: DirectoryEntry[],
): number {
  const length = block.readUInt16LE(at + 16);
  const start = at + 19;
  let end = start;
  while (block[end] !== 0) end += 1;
  const name = block.subarray(start, end);
  if (!isDotOrDotDot(name)) {
    entries.push({
      name,
      type: TYPES.get(block.readUInt8(at + 18)) ?? "unknown",
      ino: BigInt.asUintN(64, longs[at >> 3]!),
      position,
    });
  }
  return length;
}

const DOT = 0x2e;

function isDotOrDotDot(name: Buffer): boolean {
  return name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT));
}
