import type { Recno } from "../kml/identity.ts";
import type { Optimized } from "../optimize/optimize.ts";
import { filledPath, isRemoval } from "./mass-removal.ts";
import { withoutHeld } from "./without-held.ts";

/**
 * Records that are held, and with them removals of names that are given anew by what has to wait for them: who
 * replaces a file takes it from nobody for as long as the new one waits.
 */
export function withUnfilledRemovals(
  ready: readonly Optimized[],
  held: Iterable<Recno>,
): ReadonlySet<Recno> {
  const all = new Set(held);
  for (let found = unfilledAmong(ready, all); found.length > 0; found = unfilledAmong(ready, all))
    for (const recno of found) all.add(recno);
  return all;
}

/** Removals that would go now, while what comes in their place next waits. */
function unfilledAmong(ready: readonly Optimized[], held: ReadonlySet<Recno>): Recno[] {
  const free = new Set(withoutHeld(ready, ({ recno }) => held.has(recno)));
  const isNextFree = new Map<string, boolean>();
  const unfilled: Recno[] = [];
  for (const each of ready.toReversed()) {
    if (each.record === null) continue;
    const { recno, operation } = each.record;
    const filled = filledPath(operation);
    if (filled !== undefined) isNextFree.set(filled, free.has(each));
    else if (isRemoval(operation) && free.has(each) && isNextFree.get(operation.path) === false)
      unfilled.push(recno);
  }
  return unfilled;
}
