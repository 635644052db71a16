import type { Oid } from "@izo/core";

import type { LookRequest } from "../tree/list-directory.ts";
import type { HashedBeside } from "./long-hashes.ts";
import type { AbsenceRules } from "./settle-absences.ts";

/** How a look goes about what it finds. */
export interface LookOptions extends AbsenceRules {
  /** A file younger than this is left for later; 0 takes it as it is. */
  readonly quietMs: number;
  /** The same for a file that somebody holds open for writing. */
  readonly writerQuietMs: number;
  /** Called before a directory is listed: a watch set here misses nothing. */
  readonly onDirectory?: (oid: Oid, fd: number) => void;
  /** Names under which something stands by now that the log has elsewhere: asked for before anything counts as removed. */
  readonly findMoved?: () => Promise<readonly LookRequest[]>;
  /** Large files, whose hashes nobody waits for. */
  readonly beside: HashedBeside;
  readonly onProgress?: (progress: LookProgress) => void;
  readonly signal?: AbortSignal;
}

/** How far a look is; totals are not known before its end. */
export interface LookProgress {
  readonly files: number;
  readonly bytes: number;
}
