import { readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";

const PATIENCE_MS = 20_000;

/**
 * Between two looks. Who looks without a pause takes one of two cores, and each turn of the mount that he asks, from those
 * for whose work he waits.
 */
const PAUSE_MS = 0.2;
const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * The time in ms until `condition` holds. It is asked again almost at once each time, for where the time itself
 * is what is measured; everything else waits for a recno.
 */
export async function appears(what: string, condition: () => boolean): Promise<number> {
  const startMs = performance.now();
  while (!condition()) {
    if (performance.now() - startMs > PATIENCE_MS) {
      throw new Error(`Cannot see ${what}: ${PATIENCE_MS / 1000} s are over`);
    }
    Atomics.wait(pause, 0, 0, PAUSE_MS);
    await nextTurn();
  }
  return performance.now() - startMs;
}

/** The text of a file, or undefined where it is missing. */
export function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** The value below which the given share of all values lies: 0.5 for the median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}
