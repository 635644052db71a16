import type { InPieces } from "../in-pieces.ts";
import type { Recno } from "../kml/identity.ts";
import type { Optimized } from "../optimize/optimize.ts";
import { filledPath, isRemoval } from "./mass-removal.ts";
import { withoutHeldInPieces } from "./without-held.ts";

/**
 * Finds, with pauses, records that are held, and with them removals of names that are given anew by what has to wait for them: who
 * replaces a file takes it from nobody for as long as the new one waits.
 */
export function* withUnfilledRemovals(
  ready: readonly Optimized[],
  held: Iterable<Recno>,
): InPieces<ReadonlySet<Recno>> {
  const all = new Set(held);
  for (;;) {
    const found = yield* unfilledAmong(ready, all);
    if (found.length === 0) return all;
    for (const recno of found) all.add(recno);
  }
}

/** Removals that would go now, while what comes in their place next waits. */
function* unfilledAmong(ready: readonly Optimized[], held: ReadonlySet<Recno>): InPieces<Recno[]> {
  const free = new Set(yield* withoutHeldInPieces(ready, ({ recno }) => held.has(recno)));
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
