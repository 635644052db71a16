import type { Name, ObjectKind, Oid, Recno } from "@izo/core";

import { bytesOf, bytesOfText, hexOf } from "./columns.ts";
import type { Connection } from "./connection.ts";

/** A time in the log: from a record on, and before another; null while it goes on. */
export interface Span {
  readonly from: Recno;
  readonly to: Recno | null;
}

/** What an object is or was; the index may have forgotten. */
export function kindOf(connection: Connection, oid: Oid): ObjectKind | undefined {
  return connection
    .prepare<[Buffer], ObjectKind>("SELECT kind FROM objects WHERE oid = ? LIMIT 1")
    .pluck()
    .get(bytesOf(oid));
}

/** Who had a name, and when: one for each time that something was put under it. */
export function holdersOf(
  connection: Connection,
  parent: Oid,
  name: Name,
): (Span & { readonly oid: Oid })[] {
  return connection
    .prepare<[Buffer, Buffer], { oid: Buffer; from_recno: Recno; to_recno: Recno | null }>(
      "SELECT oid, from_recno, to_recno FROM entries WHERE parent = ? AND name = ? ORDER BY from_recno",
    )
    .all(bytesOf(parent), bytesOfText(name))
    .map(({ oid, from_recno: from, to_recno: to }) => ({ oid: hexOf(oid) as Oid, from, to }));
}

/** An object's other ids: those of objects that merged into it, or that it was saved over with. */
export function aliasesOf(connection: Connection, oid: Oid): Oid[] {
  return connection
    .prepare<[Buffer], Buffer>("SELECT alias FROM aliases WHERE oid = ?")
    .pluck()
    .all(bytesOf(oid))
    .map((alias) => hexOf(alias) as Oid);
}

/** The records behind `after` that changed one of these objects or its names, in their order. */
export function recordsAbout(
  connection: Connection,
  oids: readonly Oid[],
  after: Recno,
  limit: number,
): Recno[] {
  const select = connection.prepare<[{ oid: Buffer; after: Recno; limit: number }], Recno>(
    `SELECT recno FROM (${RECORDS_ABOUT}) WHERE recno > @after ORDER BY recno LIMIT @limit`,
  );
  const found = new Set<Recno>();
  for (const oid of oids) {
    for (const recno of select.pluck().all({ oid: bytesOf(oid), after, limit })) found.add(recno);
  }
  return [...found].toSorted((a, b) => a - b).slice(0, limit);
}

/** The last of the records that changed one of these objects or its names, the latest first. */
export function lastRecordsAbout(
  connection: Connection,
  oids: readonly Oid[],
  limit: number,
): Recno[] {
  const select = connection.prepare<[{ oid: Buffer; limit: number }], Recno>(
    `SELECT recno FROM (${RECORDS_ABOUT}) ORDER BY recno DESC LIMIT @limit`,
  );
  const found = new Set<Recno>();
  for (const oid of oids) {
    for (const recno of select.pluck().all({ oid: bytesOf(oid), limit })) found.add(recno);
  }
  return [...found].toSorted((a, b) => b - a).slice(0, limit);
}

const RECORDS_ABOUT = [
  "SELECT from_recno AS recno FROM objects WHERE oid = @oid",
  "SELECT to_recno FROM objects WHERE oid = @oid AND to_recno IS NOT NULL",
  "SELECT from_recno FROM entries WHERE oid = @oid AND to_recno IS NULL",
  "SELECT from_recno FROM entries WHERE oid = @oid AND to_recno IS NOT NULL",
  "SELECT to_recno FROM entries WHERE oid = @oid AND to_recno IS NOT NULL",
  "SELECT from_recno FROM aliases WHERE oid = @oid",
].join(" UNION ");
