export { formatAge, formatBytes, formatCount } from "@izo/core";

/** A duration for people: "850 us", "12.3 ms", "4.21 s". */
export function formatMs(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1000)} us`;
  if (ms < 1000) return `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;
  return `${(ms / 1000).toFixed(2)} s`;
}
