import type { WakeUpFacts } from "@izo/client";

import { formatCount } from "../output/quantity.ts";

/** How quickly cores are woken for a mount, in words. */
export function describeWakeUps({
  limitUs,
  obstacle,
  isHeld,
  times,
  totalMs,
}: WakeUpFacts): string {
  if (obstacle !== null) return `as the machine has them: ${obstacle}`;
  const how = limitUs === 0 ? "cores wait awake" : `cores sleep lightly (${limitUs} us)`;
  const now = isHeld ? ", as now" : "";
  const soFar = times === 0 ? "not yet" : `${formatCount(times)} times, ${totalMs / 1000} s in all`;
  return `${how} while programs ask often${now}: ${soFar}`;
}
