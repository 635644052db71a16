import type { TimeNs } from "./identity.ts";

const NS_PER_MS = 1_000_000n;

/** A time as ISO 8601 in UTC with all nine digits: `2026-11-22T19:15:26.123456789Z`. */
export function formatTimeNs(timeNs: TimeNs): string {
  const fraction = ((timeNs % NS_PER_MS) + NS_PER_MS) % NS_PER_MS;
  const date = new Date(Number((timeNs - fraction) / NS_PER_MS));
  return `${date.toISOString().slice(0, -1)}${String(fraction).padStart(6, "0")}Z`;
}
