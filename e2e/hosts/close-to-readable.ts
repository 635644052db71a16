import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { appears, textOf } from "./appears.ts";

/** A directory that one host sees, and its name for whoever reads the figures. */
export type HostDirectory = readonly [host: string, directory: string];

/** As many names take turns, so that most files are written again. */
const NAMES = 20;

/** So that no text was ever there before. */
let texts = 0;

/**
 * How long it takes, in ms, from the close of a small file in one directory until its text can be read in another: one
 * figure for each of so many files, one after the other.
 *
 * @param untilReady awaited before each
 */
export async function closeToReadable(
  [from, source]: HostDirectory,
  [to, target]: HostDirectory,
  rounds: number,
  untilReady: () => Promise<unknown> = () => Promise.resolve(),
): Promise<number[]> {
  const delaysMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // oxlint-disable-next-line no-await-in-loop -- one file after another
    await untilReady();
    const name = `${from}-${to}-${round % NAMES}`;
    texts += 1;
    const text = `text ${texts} from ${from} to ${to}\n`;
    writeFileSync(join(source, name), text);
    // oxlint-disable-next-line no-await-in-loop
    delaysMs.push(await appears(`${name} on ${to}`, () => textOf(join(target, name)) === text));
  }
  return delaysMs;
}
