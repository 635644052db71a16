import { NO_CHECK, type PeerId, type Position, type Recno, type SnapshotRow } from "@izo/core";

import { hexOf } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { outcomeOf } from "./sql-state.ts";
import { treeRows } from "./tree-rows.ts";

type OutcomeRow = Parameters<typeof outcomeOf>[0] & {
  readonly peer: Buffer;
  readonly origin_recno: Recno;
};

/**
 * All that a log which begins behind a position builds on, as the connection's transaction sees it: the
 * tree there, its aliases, and what became of every peer's records up to it. Tombstones of that time
 * are not part of it: they are forgotten with the records.
 */
export function* anchorRows(
  connection: Connection,
  position: Position,
): Generator<SnapshotRow, void> {
  const { recno } = position;
  const received = { recno: 0 as Recno, check: NO_CHECK };
  yield { kind: "start", position, oldestRecno: (recno + 1) as Recno, received };
  let rows = 1;
  for (const row of treeRows(connection, recno)) {
    yield row;
    rows += 1;
  }
  for (const row of connection
    .prepare<[Recno], OutcomeRow>(
      "SELECT peer, origin_recno, verdict, reason, trace, origin_check, oid, name_version, content_version, attributes_version FROM outcomes WHERE trace <= ?",
    )
    .iterate(recno)) {
    const origin = { peer: hexOf(row.peer) as PeerId, recno: row.origin_recno };
    yield { kind: "outcome", origin, outcome: outcomeOf(row) };
    rows += 1;
  }
  yield { kind: "end", rows };
}
