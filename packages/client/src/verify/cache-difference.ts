import type { Recno } from "@izo/core";

/**
 * Why something in a cache differs:
 *
 * - `damaged`: nothing that izo or a program did explains it;
 * - `unlogged`: a program has changed a file and no record says so yet: it is being written, or the last
 *   use of the cache did not end well;
 * - `behind`: the index is not what the server says of the same record.
 */
export type CacheDifferenceCause = "damaged" | "unlogged" | "behind";

/** One place where own log, index, cache tree and server differ. */
export interface CacheDifference {
  /** `/a/b` in the fileset, or the name of a file in the cache directory. */
  readonly path: string;
  readonly between: "own log" | "index" | "index and server" | "records and cache";
  readonly cause: CacheDifferenceCause;
  /** What was found, and what should be there. */
  readonly found: string;
  /** The last record of the server's log that touched it; null where that is not known. */
  readonly since: Recno | null;
}
