import type { Oid } from "@izo/core";

/** What an operation would change. */
export interface Change {
  /** Directories in which a name comes or goes. */
  readonly directories: readonly Oid[];
  /** Objects that change, or get, lose or change a name. */
  readonly objects: readonly Oid[];
}

/** Says what may be changed now. The guard of the file system asks it before each change. */
export interface ChangeGate {
  /** What a program is told of a change that is refused; EROFS by default. */
  readonly errno?: "EROFS" | "ENOSPC";
  /** Nothing is refused as things stand, so nothing need be asked. */
  readonly isOpen: boolean;
  /** Writes to open files are changes of their own; else only the open is. */
  readonly seesWrites: boolean;
  mayChange(change: Change): boolean;
  /** The same for what was opened when it could be changed. */
  mayFinish(change: Change): boolean;
  /** Why not, for the log. */
  describe(): string;
}
