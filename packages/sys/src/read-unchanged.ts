import { checkResult } from "./check-result.ts";
import { native } from "./native/load.ts";
import { packNames } from "./pack-names.ts";

/** A file of a directory, and what its stat is expected to be. */
export interface ExpectedFile {
  readonly name: Uint8Array;
  readonly dev: bigint;
  readonly ino: bigint;
  /** 0 where the file system keeps no birth times. */
  readonly btimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly sizeBytes: bigint;
}

/** `struct expected` in native/read-unchanged.c: as many 64-bit integers. */
const INTEGERS = 6;

/**
 * Reads many small files of a directory whole, by a thread. Symlinks are not followed.
 *
 * @param dirFd stays the caller's, and open until this is done
 * @returns for each its bytes, or null where the stat was another before or afterwards, or could not be had
 * @throws RangeError for a name with a NUL in it; SysError ENOMEM
 */
export async function readUnchanged(
  dirFd: number,
  files: readonly ExpectedFile[],
): Promise<(Uint8Array | null)[]> {
  const sizes = files.map(({ sizeBytes }) => Number(sizeBytes));
  const contents = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  const expected = new BigInt64Array(files.length * INTEGERS);
  const isRead = new Uint8Array(files.length);
  for (const [index, file] of files.entries()) {
    const { dev, ino, btimeNs, ctimeNs, mtimeNs, sizeBytes } = file;
    expected.set([dev, ino, btimeNs, ctimeNs, mtimeNs, sizeBytes], index * INTEGERS);
  }
  const stats = new Uint8Array(expected.buffer);
  const started = native().readUnchanged(dirFd, packNames(files), stats, contents, isRead);
  if (typeof started === "number") checkResult(started, "read");
  await started;
  let offset = 0;
  return sizes.map((size, index) => {
    offset += size;
    return isRead[index] === 1 ? contents.subarray(offset - size, offset) : null;
  });
}
