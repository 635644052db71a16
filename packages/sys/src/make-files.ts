import { checkResult } from "./check-result.ts";
import { native } from "./native/load.ts";
import { packNames } from "./pack-names.ts";

/** A file to be made. */
export interface FileToMake {
  readonly name: Uint8Array;
  /** Permission bits, set-id and sticky bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  readonly content: Uint8Array;
  /** Where it is larger than the content, there is a hole behind that. */
  readonly sizeBytes: number;
  /** Of the extended attribute; of all files of a call as long. */
  readonly mark: Uint8Array;
}

/** `struct wanted` in native/make-files.c: as many 64-bit integers. */
const INTEGERS = 6;
const NS_PER_SECOND = 1_000_000_000n;

/**
 * Makes many files of a directory, each as a whole, and the extended attribute last. Nothing is followed, replaced or shared.
 *
 * @returns for each whether it was made; of one that was not, nothing is left, and why is known to who makes it by itself
 * @throws RangeError for a name with a NUL in it, for marks of several lengths
 */
export function makeFiles(
  dirFd: number,
  attribute: string,
  files: readonly FileToMake[],
): boolean[] {
  const [first] = files;
  if (first === undefined) return [];
  const markBytes = first.mark.length;
  const wanted = new BigInt64Array(files.length * INTEGERS);
  const marks = new Uint8Array(files.length * markBytes);
  for (const [index, { mode, uid, gid, mtimeNs, sizeBytes, mark }] of files.entries()) {
    if (mark.length !== markBytes) throw new RangeError("Cannot make files: their marks differ");
    const nanoseconds = ((mtimeNs % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
    const at = index * INTEGERS;
    wanted[at] = BigInt(mode & 0o7777);
    wanted[at + 1] = BigInt(uid);
    wanted[at + 2] = BigInt(gid);
    wanted[at + 3] = (mtimeNs - nanoseconds) / NS_PER_SECOND;
    wanted[at + 4] = nanoseconds;
    wanted[at + 5] = BigInt(sizeBytes);
    marks.set(mark, index * markBytes);
  }
  const contents = files.map(({ content }) => content);
  const errors = new Uint8Array(files.length);
  const result = native().makeFiles(
    dirFd,
    packNames(files),
    new Uint8Array(wanted.buffer),
    contents,
    attribute,
    marks,
    markBytes,
    errors,
  );
  checkResult(result, "open");
  return Array.from(errors, (error) => error === 0);
}
