import type { MutableState, Position, SnapshotRow } from "@izo/core";

/**
 * Puts the tree of an anchor into a state that holds nothing but the root.
 *
 * @returns the place behind which the log goes on
 * @throws WireFormatError
 */
export async function loadAnchor(
  rows: AsyncIterable<SnapshotRow>,
  state: MutableState,
): Promise<Position> {
  let position: Position | undefined;
  for await (const row of rows) {
    switch (row.kind) {
      case "start":
        position = row.position;
        break;
      case "object":
        state.putObject(row.object, position!.recno);
        break;
      case "entry":
        state.putEntry(row.entry, position!.recno);
        break;
      case "alias":
        state.putAlias(row.alias, row.oid, position!.recno);
        break;
      case "tombstone":
        state.putTombstone(row.tombstone);
        break;
      case "outcome":
        state.putOutcome(row.origin, row.outcome);
        break;
      case "end":
        break;
    }
  }
  return position!;
}
