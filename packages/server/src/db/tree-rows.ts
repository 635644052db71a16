import { type Oid, type Recno, ROOT_OID, type SnapshotRow } from "@izo/core";

import { bytesOf, hexOf } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { HistoryState } from "./history-state.ts";
import { objectOf, type ObjectRow, selectObject } from "./object-row.ts";
import { ENTRY_COLUMNS, entryOf } from "./sql-state.ts";

type EntryRow = Parameters<typeof entryOf>[0];
type TreeRow = Extract<SnapshotRow, { readonly kind: "object" | "entry" | "alias" }>;

const HELD = "from_recno <= @at AND (to_recno IS NULL OR to_recno > @at)";

/** The tree behind a record: objects, names, aliases, in the order of a snapshot's rows. */
export function* treeRows(connection: Connection, at: Recno): Generator<TreeRow, void> {
  const objects = connection
    .prepare<[{ at: Recno }], ObjectRow>(`SELECT ${selectObject()} FROM objects WHERE ${HELD}`)
    .safeIntegers();
  for (const row of objects.iterate({ at })) yield { kind: "object", object: objectOf(row) };
  const entries = connection.prepare<[{ at: Recno }], EntryRow>(
    `SELECT ${ENTRY_COLUMNS} FROM entries WHERE ${HELD}`,
  );
  for (const row of entries.iterate({ at })) yield { kind: "entry", entry: entryOf(row) };
  const aliases = connection.prepare<[Recno], { alias: Buffer; oid: Buffer }>(
    "SELECT alias, oid FROM aliases WHERE from_recno <= ?",
  );
  for (const row of aliases.iterate(at)) {
    yield { kind: "alias", alias: hexOf(row.alias) as Oid, oid: hexOf(row.oid) as Oid };
  }
}

/**
 * Of the tree behind a record, what is not the same behind another one: objects that were changed, made
 * or removed between the two, with all their names, and the directories above them at both times. So
 * where both trees are asked for like this, each is whole as far as it goes.
 */
export function* differingRows(
  connection: Connection,
  at: Recno,
  against: Recno,
): Generator<TreeRow, void> {
  const state = new HistoryState(connection, at);
  const oids = differingObjects(connection, state, new HistoryState(connection, against), {
    after: Math.min(at, against) as Recno,
    until: Math.max(at, against) as Recno,
  });
  for (const oid of oids) {
    const object = state.object(oid);
    if (object !== undefined) yield { kind: "object", object };
  }
  for (const oid of oids) {
    for (const entry of state.links(oid)) yield { kind: "entry", entry };
  }
  for (const alias of oids) {
    const oid = state.alias(alias);
    if (oid !== undefined) yield { kind: "alias", alias, oid };
  }
}

function differingObjects(
  connection: Connection,
  one: HistoryState,
  other: HistoryState,
  range: { readonly after: Recno; readonly until: Recno },
): ReadonlySet<Oid> {
  const oids = new Set<Oid>([ROOT_OID]);
  const changed = connection.prepare<[typeof range], Buffer>(CHANGED).pluck();
  for (const oid of changed.all(range)) addWithParents(hexOf(oid) as Oid, oids, one, other);
  return oids;
}

function addWithParents(oid: Oid, oids: Set<Oid>, ...states: readonly HistoryState[]): void {
  if (oids.has(oid)) return;
  oids.add(oid);
  for (const state of states) {
    for (const { parent } of state.links(oid)) addWithParents(parent, oids, ...states);
  }
}

const CHANGED = ["objects", "entries"]
  .flatMap((table) =>
    ["from_recno", "to_recno"].map(
      (column) => `SELECT oid FROM ${table} WHERE ${column} > @after AND ${column} <= @until`,
    ),
  )
  .join(" UNION ");

/** Tells whether the index knows the tree behind a record: it always had a root. */
export function isTreeKnown(connection: Connection, at: Recno): boolean {
  const row = connection
    .prepare<[Buffer, Recno, Recno]>(
      "SELECT 1 FROM objects WHERE oid = ? AND from_recno <= ? AND (to_recno IS NULL OR to_recno > ?) LIMIT 1",
    )
    .get(bytesOf(ROOT_OID), at, at);
  return row !== undefined;
}
