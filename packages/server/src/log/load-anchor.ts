import { type MutableState, type Position, putSnapshotRow, type SnapshotRow } from "@izo/core";

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
    if (row.kind === "start") position = row.position;
    putSnapshotRow(row, state, position!.recno);
  }
  return position!;
}
