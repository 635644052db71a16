import type { Oid, OriginId, PeerId, Recno } from "@izo/core";

import type { SnapshotRow } from "../export/history/snapshot.ts";
import { bytesOf, hexOf, nameOf } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { objectOf, type ObjectRow, selectObject } from "./object-row.ts";
import { ENTRY_COLUMNS, entryOf, outcomeOf } from "./sql-state.ts";

type EntryRow = Parameters<typeof entryOf>[0];
type OutcomeRow = Parameters<typeof outcomeOf>[0] & { readonly origin_recno: Recno };

/**
 * All of a tree, as the connection's transaction sees it, in the order of a snapshot's rows: objects,
 * names, aliases, tombstones back to the oldest retained record, and what became of the records of the
 * asking peer.
 */
export function* snapshotRows(
  connection: Connection,
  oldest: Recno,
  peer: PeerId | undefined,
): Generator<SnapshotRow, void> {
  const objects = connection
    .prepare<[], ObjectRow>(`SELECT ${selectObject()} FROM objects WHERE to_recno IS NULL`)
    .safeIntegers();
  for (const row of objects.iterate()) yield { kind: "object", object: objectOf(row) };
  const entries = connection.prepare<[], EntryRow>(
    `SELECT ${ENTRY_COLUMNS} FROM entries WHERE to_recno IS NULL`,
  );
  for (const row of entries.iterate()) yield { kind: "entry", entry: entryOf(row) };
  const aliases = connection.prepare<[], { alias: Buffer; oid: Buffer }>(
    "SELECT alias, oid FROM aliases",
  );
  for (const row of aliases.iterate()) {
    yield { kind: "alias", alias: hexOf(row.alias) as Oid, oid: hexOf(row.oid) as Oid };
  }
  yield* tombstoneRows(connection, oldest);
  if (peer === undefined) return;
  const outcomes = connection.prepare<[Buffer], OutcomeRow>(
    "SELECT origin_recno, verdict, reason, trace, origin_check, oid, name_version, content_version, attributes_version FROM outcomes WHERE peer = ?",
  );
  for (const row of outcomes.iterate(bytesOf(peer))) {
    const origin: OriginId = { peer, recno: row.origin_recno };
    yield { kind: "outcome", origin, outcome: outcomeOf(row) };
  }
}

type TombstoneRow = ObjectRow & {
  readonly parent: Buffer;
  readonly name: Buffer;
  readonly removed_at: bigint;
};

function* tombstoneRows(connection: Connection, oldest: Recno): Generator<SnapshotRow, void> {
  const rows = connection
    .prepare<[number], TombstoneRow>(
      `SELECT ${selectObject("o.")}, t.parent, t.name, t.removed_at FROM tombstones t JOIN objects o ON o.oid = t.oid AND o.to_recno = t.removed_at WHERE t.removed_at >= ?`,
    )
    .safeIntegers();
  for (const row of rows.iterate(oldest)) {
    const tombstone = {
      object: objectOf(row),
      parent: hexOf(row.parent) as Oid,
      name: nameOf(row.name),
      removedAt: Number(row.removed_at) as Recno,
    };
    yield { kind: "tombstone", tombstone };
  }
}
