import type {
  Entry,
  Oid,
  OriginId,
  Outcome,
  Position,
  Recno,
  Tombstone,
  TreeObject,
} from "@izo/core";

/** A tree as it is at one place of the log, row by row. */
export interface Snapshot extends Disposable {
  readonly position: Position;
  /** Tombstones go back to this record. */
  readonly oldestRecno: Recno;
  /** Of the asking peer: the last of its records that the log holds, to go on from; recno 0 for none. */
  readonly received: { readonly recno: Recno; readonly check: string };
  /** Objects before entries; to be read once. */
  rows(): Iterable<SnapshotRow>;
}

export type SnapshotRow =
  | { readonly kind: "object"; readonly object: TreeObject }
  | { readonly kind: "entry"; readonly entry: Entry }
  | { readonly kind: "alias"; readonly alias: Oid; readonly oid: Oid }
  | { readonly kind: "tombstone"; readonly tombstone: Tombstone }
  | { readonly kind: "outcome"; readonly origin: OriginId; readonly outcome: Outcome };
