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
  ready: readonly Optimized[],
  waits: (record: PendingRecord) => boolean,
): Optimized[] {
  const held = new HeldRecords();
  return ready.filter(({ covers, record }) => {
    if (record === null) return true;
    const isHeld = held.holds(record.operation) || waits(record);
    if (isHeld) held.hold(record.operation, covers);
    return !isHeld;
  });
}
