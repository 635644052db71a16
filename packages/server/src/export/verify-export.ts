import type { Difference } from "../verify/difference.ts";
import { inspectExport } from "../verify/inspect-export.ts";

/** All differences between log, index and tree of an export; none is what it should give. */
export async function verifyExport(
  dir: string,
  filesetName = "rootfset",
): Promise<readonly Difference[]> {
  return (await inspectExport({ dir, filesetName })).differences;
}
