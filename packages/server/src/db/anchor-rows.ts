import {
  NO_CHECK,
  type Oid,
  type PeerId,
  type Position,
  type Recno,
  type SnapshotRow,
} from "@izo/core";

import { hexOf } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { OBJECT_COLUMNS, objectOf, type ObjectRow } from "./object-row.ts";
import { entryOf, outcomeOf } from "./sql-state.ts";

type EntryRow = Parameters<typeof entryOf>[0];
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
  let rows = 0;
  for (const row of treeRows(connection, position)) {
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

/** Rows hold from the record that made them and before the one that ended them (design D7). */
function* treeRows(connection: Connection, position: Position): Generator<SnapshotRow, void> {
  const { recno } = position;
  const held = "from_recno <= @recno AND (to_recno IS NULL OR to_recno > @recno)";
  const received = { recno: 0 as Recno, check: NO_CHECK };
  yield { kind: "start", position, oldestRecno: (recno + 1) as Recno, received };
  for (const row of connection
    .prepare<[{ recno: Recno }], ObjectRow>(
      `SELECT oid, from_recno, to_recno, ${OBJECT_COLUMNS} FROM objects WHERE ${held}`,
    )
    .safeIntegers()
    .iterate({ recno })) {
    yield { kind: "object", object: objectOf(row) };
  }
  for (const row of connection
    .prepare<[{ recno: Recno }], EntryRow>(
      `SELECT parent, name, oid, from_recno FROM entries WHERE ${held}`,
    )
    .iterate({ recno })) {
    yield { kind: "entry", entry: entryOf(row) };
  }
  for (const row of connection
    .prepare<[Recno], { alias: Buffer; oid: Buffer }>(
      "SELECT alias, oid FROM aliases WHERE from_recno <= ?",
    )
    .iterate(recno)) {
    yield { kind: "alias", alias: hexOf(row.alias) as Oid, oid: hexOf(row.oid) as Oid };
  }
}
