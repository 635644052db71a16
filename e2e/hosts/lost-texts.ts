import { basename, join } from "node:path";

import { textOf } from "./appears.ts";
import type { WorkloadStep } from "./workload.ts";

/** Paths of an author below `directory` that do not hold what the last of their steps left there. */
export function lostTexts(
  directory: string,
  author: string,
  done: readonly WorkloadStep[],
): string[] {
  return [...finalTexts(done)]
    .map(([path, text]) => ({ path: join(directory, author, basename(path)), text }))
    .filter(({ path, text }) => (textOf(path) ?? null) !== text)
    .map(({ path, text }) => `${path}: expected ${text}, found ${textOf(path)}`);
}

/** What each path must hold after these steps; null for a removed file. */
function finalTexts(done: readonly WorkloadStep[]): Map<string, string | null> {
  return new Map(done.map(({ path, text }) => [path, text]));
}
