import type { Oid, Recno } from "../kml/identity.ts";
import type { OriginId } from "../kml/operation.ts";
import type { Position } from "../kml/position.ts";
import type { Outcome } from "../reintegrate/outcome.ts";
import type { Entry, Tombstone, TreeObject } from "../replay/tree-object.ts";
import type { ReceivedMark } from "../sync/replica.ts";

/** What the following rows are: the first row of every snapshot. */
export interface SnapshotStart {
  readonly kind: "start";
  /** The tree is that of this place in the log; polling goes on from here. */
  readonly position: Position;
  /** Tombstones go back to this record; an unknown oid with an older base was deleted, it is not new. */
  readonly oldestRecno: Recno;
  /** The asking peer's last record that the log holds; recno 0 where it has none, or nobody asked. */
  readonly received: ReceivedMark;
}

export interface SnapshotObject {
  readonly kind: "object";
  readonly object: TreeObject;
}

export interface SnapshotEntry {
  readonly kind: "entry";
  readonly entry: Entry;
}

export interface SnapshotAlias {
  readonly kind: "alias";
  readonly alias: Oid;
  readonly oid: Oid;
}

export interface SnapshotTombstone {
  readonly kind: "tombstone";
  readonly tombstone: Tombstone;
}

/** What became of a record of the asking peer. */
export interface SnapshotOutcome {
  readonly kind: "outcome";
  readonly origin: OriginId;
  readonly outcome: Outcome;
}

/** The last row; without it the snapshot was cut off. */
export interface SnapshotEnd {
  readonly kind: "end";
  /** Rows before this one. */
  readonly rows: number;
}

/**
 * One row of a snapshot, in this order: start, the tree (objects before
 * entries), aliases, tombstones, outcomes, end.
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
