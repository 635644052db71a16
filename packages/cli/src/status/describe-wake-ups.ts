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
  if (times === 0) return `${how} while programs ask often: not yet`;
  const often = times === 1 ? "once" : `${formatCount(times)} times`;
  return `${how} while programs ask often${now}: ${often}, ${totalMs / 1000} s in all`;
}
