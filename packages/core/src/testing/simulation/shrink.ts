import type { Step } from "./plan.ts";

/**
 * Leaves out of a failing history as many steps as it still fails without (delta debugging): first large
 * pieces, then smaller ones, down to single steps, as long as that helps.
 *
 * @param fails runs a history and tells whether it fails in the same way
 */
export async function shrink(
  steps: readonly Step[],
  fails: (steps: readonly Step[]) => Promise<boolean>,
): Promise<readonly Step[]> {
  let kept = steps;
  let size = Math.ceil(kept.length / 2);
  while (size >= 1) {
    const before = kept.length;
    for (let start = 0; start < kept.length;) {
      const fewer = [...kept.slice(0, start), ...kept.slice(start + size)];
      if (await fails(fewer)) kept = fewer;
      else start += size;
    }
    if (size === 1 && kept.length === before) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return kept;
}

/** What a violation is about, without the names and numbers of one history. */
export function kindOfViolation(violation: string): string {
  return violation
    .split("\n")[0]!
    .replace(/^.*?client \d+/, "client")
    .replaceAll(/[0-9a-f]{8}|\(.*?\)|\d+/g, "");
}
