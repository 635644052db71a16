import type { Oid } from "@izo/core";

/** Says what may be changed now. The guard of the file system asks it before each change. */
export interface PermitGate {
  /** Tells whether entries of all these directories, and what they hold, may be changed. */
  mayChangeIn(directories: readonly Oid[]): boolean;
  /** The same for what was opened when it could be changed. */
  mayFinishIn(directories: readonly Oid[]): boolean;
}
