import type { SnapshotRow } from "../wire/snapshot-row.ts";
import type { MutableState } from "./state.ts";
import type { Version } from "./tree-object.ts";

/** Puts what a row of a snapshot tells into a state; its first and its last row tell of no tree. */
export function putSnapshotRow(row: SnapshotRow, state: MutableState, at: Version): void {
  switch (row.kind) {
    case "start":
    case "end":
      return;
    case "object":
      state.putObject(row.object, at);
      return;
    case "entry":
      state.putEntry(row.entry, at);
      return;
    case "alias":
      state.putAlias(row.alias, row.oid, at);
      return;
    case "tombstone":
      state.putTombstone(row.tombstone);
      return;
    case "outcome":
      state.putOutcome(row.origin, row.outcome);
  }
}
