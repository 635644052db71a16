import { dependenciesOf } from "../optimize/dependencies.ts";
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
  const held = new Set<string>();
  return ready.filter(({ record }) => {
    if (record === null) return true;
    const { changes, needs } = dependenciesOf(record.operation);
    const isHeld = [...changes, ...needs].some((key) => held.has(key)) || waits(record);
    if (isHeld) for (const key of changes) held.add(key);
    return !isHeld;
  });
}
