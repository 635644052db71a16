import { readdirSync, readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";

import { IzoError } from "@izo/core";

/** Longest time that anything in the demo may take to be seen; a hundred times what it does take. */
const PATIENCE_MS = 20_000;

/** Resolves with the time in ms until `condition` holds, which is asked again at once each time. */
export async function see(what: string, condition: () => boolean): Promise<number> {
  const startMs = performance.now();
  while (!condition()) {
    if (performance.now() - startMs > PATIENCE_MS) {
      throw new IzoError("demo-failed", `Cannot see ${what} after ${PATIENCE_MS / 1000} s`);
    }
    await nextTurn();
  }
  return performance.now() - startMs;
}

/** Tells whether a file can be read and holds this text. */
export function holds(file: string, text: string): boolean {
  try {
    return readFileSync(file, "utf8") === text;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Names in a directory; none where it is missing. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** The value below which the given share of all values lies: 0.5 for the median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}
