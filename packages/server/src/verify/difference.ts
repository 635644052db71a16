import type { Recno } from "@izo/core";

/**
 * Why two of log, index and tree differ:
 *
 * - `damaged`: nothing that izo or a program did explains it;
 * - `unlogged`: a program has changed the tree, and the server logs that when it looks again;
 * - `refused`: the disk did not take what the log says, such as an owner without root.
 */
export type DifferenceCause = "damaged" | "unlogged" | "refused";

/** One place where two of log, index and tree differ. */
export interface Difference {
  /** `/a/b` in the fileset, or the name of a file in the state directory: `kml/0000000000000001.kml`. */
  readonly path: string;
  readonly between: "log" | "log and index" | "log and tree" | "old contents";
  readonly cause: DifferenceCause;
  /** What was found, and what should be there. */
  readonly found: string;
  /** The last record that touched it; null where the log has none. */
  readonly since: Recno | null;
}

/** A text that is equal for equal values, for comparing them and for showing them. */
export function shown(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === "bigint") return String(part);
    if (part instanceof Map) return [...part].map((pair) => JSON.stringify(pair)).toSorted();
    return part;
  });
}
