import type { Oid, Sha256 } from "@izo/core";

import type { DiskNote } from "../../db/disk-notes.ts";
import type { CrashPoint } from "../crash-point.ts";
import type { Fileset } from "../fileset.ts";
import type { BatchDirectories } from "./batch-directories.ts";
import type { Place } from "./step.ts";

/** An inode that was taken out of the tree and lies in `staging/apply`. */
export interface Outgoing {
  readonly item: string;
  readonly oid: Oid;
  readonly place: Place;
  readonly note: DiskNote;
  /** The content that it holds, if it is as noted; null for all but files. */
  readonly sha256: Sha256 | null;
  /** It was not as noted: its content is in no log yet and has to become a copy. */
  readonly isUnlogged: boolean;
}

/** What steps work on, and what they leave to be done. */
export interface StepContext {
  readonly fileset: Fileset;
  readonly directories: BatchDirectories;
  /** Objects that are too busy to be logged first: what is taken out is kept as a copy instead. */
  readonly forced: ReadonlySet<Oid>;
  readonly outgoing: Outgoing[];
  /** Contents that the batch has put into the tree, by object. */
  readonly contents: Map<Oid, Sha256 | null>;
  /** Stats after the steps, to be noted with the records. */
  readonly notes: Map<Oid, DiskNote | null>;
  /** Told of each directory that was made: something may already be in it. */
  readonly onDirectory: (oid: Oid, fd: number) => void;
  readonly reach: CrashPoint;
  /** Directories whose entries changed: to be synced. */
  readonly changedDirectories: Set<number>;
}
