import type { CacheDifference, CacheInspection } from "@izo/client/verify";
import { IzoError } from "@izo/core";
import type { Difference, Inspection } from "@izo/server";

import type { Output } from "../output/output.ts";
import { formatBytes, formatCount } from "../output/quantity.ts";

/** Something differs. Printed already; the exit status says it to programs. */
export class DiffersError extends IzoError {
  constructor(what: string, differences: readonly (Difference | CacheDifference)[]) {
    const isLogDamaged = differences.some(({ between }) => between.endsWith("log"));
    const count =
      differences.length === 1 ? "1 place differs" : `${differences.length} places differ`;
    super(
      isLogDamaged ? "kml-damaged" : "differs",
      `Cannot call "${what}" sound: ${isLogDamaged ? "its log is damaged" : count}`,
      { differences: differences.length },
    );
  }
}

/** Prints what was found, of an export or of a cache. */
export function showInspection(inspection: Inspection | CacheInspection, output: Output): void {
  const { differences, notices, entries, bytes } = inspection;
  for (const difference of output.isJson ? [] : differences)
    output.say(formatDifference(difference));
  for (const notice of output.isJson ? [] : notices) output.say(`note: ${notice}`);
  const count =
    differences.length === 0 ? "all agree" : `${formatCount(differences.length)} differ`;
  const compared = `${formatCount(entries)} names, ${formatBytes(bytes)}`;
  output.result(inspection, `${recordsOf(inspection)}, ${compared}: ${count}`);
}

function recordsOf(inspection: Inspection | CacheInspection): string {
  if ("recno" in inspection) return `replayed up to record ${inspection.recno}`;
  return `records ${inspection.oldestRecno} to ${inspection.headRecno}`;
}

function formatDifference(difference: Difference | CacheDifference): string {
  const { path, between, cause, found, since } = difference;
  const after = since === null ? "" : `, since record ${since}`;
  return `${cause}: ${path} (${between}${after}): ${found}`;
}
