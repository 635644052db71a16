import { allAtOnce, eachInPieces, type InPieces } from "../in-pieces.ts";
import { HeldRecords } from "../optimize/dependencies.ts";
import type { Optimized } from "../optimize/optimize.ts";
import type { PendingRecord } from "./pending-record.ts";

/**
 * The records that can go now, when some have to wait: those that wait hold back what depends on them
 * and nothing else (design P3).
 *
 * @param waits asked once for each record that nothing before it holds back, in order
 */
export function withoutHeld(
  ready: Iterable<Optimized>,
  waits: (record: PendingRecord) => boolean,
): Optimized[] {
  return allAtOnce(withoutHeldInPieces(ready, waits));
}

/** {@link withoutHeld} with pauses. */
export function* withoutHeldInPieces(
  ready: Iterable<Optimized>,
  waits: (record: PendingRecord) => boolean,
): InPieces<Optimized[]> {
  const held = new HeldRecords();
  const free: Optimized[] = [];
  yield* eachInPieces(ready, (each) => {
    const { covers, record } = each;
    const isHeld = record !== null && (held.holds(record.operation) || waits(record));
    if (isHeld) held.hold(record.operation, covers);
    else free.push(each);
  });
  return free;
}
