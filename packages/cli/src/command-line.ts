import { readFileSync } from "node:fs";

/**
 * The words of the command line, in which names that are no UTF-8 are what they are elsewhere in izo: Node
 * puts U+FFFD for their bytes, which then name nothing.
 *
 * @param words as Node has them
 * @param kernel what the kernel has: all words of the process, each with a NUL behind it
 */
export async function wordsAsGiven(
  words: readonly string[],
  kernel: () => Buffer = () => readFileSync("/proc/self/cmdline"),
): Promise<readonly string[]> {
  if (!words.some((word) => word.includes("\u{fffd}"))) return words;
  const given = splitAtNul(kernel()).slice(-words.length);
  const isSame = words.every((word, index) => given[index]?.toString() === word);
  if (!isSame) return words;
  const { bytesToText } = await import("@izo/core");
  return given.map((bytes) => bytesToText(bytes));
}

function splitAtNul(bytes: Buffer): Buffer[] {
  const words: Buffer[] = [];
  for (let start = 0, end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
    words.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return words;
}
