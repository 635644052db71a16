import type { Oid, PeerId, Recno } from "../kml/identity.ts";
import type { Position } from "../kml/position.ts";
import type { Outcome } from "../reintegrate/outcome.ts";
import type { Entry, Tombstone, TreeObject } from "../replay/tree-object.ts";
import type { ReceivedMark } from "../sync/replica.ts";

/** What the following rows are: the first row of every snapshot. */
export interface SnapshotStart {
  readonly row: "start";
  /** The tree is that of this place in the log; polling goes on from here. */
  readonly position: Position;
  /** Tombstones go back to this record; an unknown oid with an older base was deleted, it is not new. */
  readonly oldestRecno: Recno;
  /** The asking peer's last record that the log holds; null where none was asked for or it has none. */
  readonly received: ReceivedMark | null;
}

export interface SnapshotObject {
  readonly row: "object";
  readonly object: TreeObject;
}

export interface SnapshotEntry {
  readonly row: "entry";
  readonly entry: Entry;
}

export interface SnapshotAlias {
  readonly row: "alias";
  readonly alias: Oid;
  readonly oid: Oid;
}

export interface SnapshotTombstone {
  readonly row: "tombstone";
  readonly tombstone: Tombstone;
}

/** What became of a record of the asking peer. */
export interface SnapshotOutcome {
  readonly row: "outcome";
  readonly origin: { readonly peer: PeerId; readonly recno: Recno };
  readonly outcome: Outcome;
}

/** The last row; without it the snapshot was cut off. */
export interface SnapshotEnd {
  readonly row: "end";
  /** Rows before this one. */
  readonly rows: number;
}

/**
 * One row of a snapshot, in this order: start, objects, entries, aliases, tombstones, outcomes, end.
 * Versions in it are server recnos, and no file's hash is null.
 */
export type SnapshotRow =
  | SnapshotStart
  | SnapshotObject
  | SnapshotEntry
  | SnapshotAlias
  | SnapshotTombstone
  | SnapshotOutcome
  | SnapshotEnd;
