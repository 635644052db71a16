import type { Oid } from "@izo/core";

import { hexOf } from "./columns.ts";
import type { Connection } from "./connection.ts";

/** Names in the tree as it stands. */
export function countEntries(connection: Connection): number {
  return connection
    .prepare<[], number>("SELECT count(*) FROM entries WHERE to_recno IS NULL")
    .pluck()
    .get()!;
}

/** Regular files in the tree, and the sum of their sizes. */
export function sumFiles(connection: Connection): { files: number; bytes: number } {
  return connection
    .prepare<[], { files: number; bytes: number }>("SELECT files, bytes FROM head WHERE id = 1")
    .get()!;
}

/** Every object of the tree as it stands. */
export function* presentOids(connection: Connection): Generator<Oid, void> {
  const rows = connection.prepare<[], Buffer>("SELECT oid FROM objects WHERE to_recno IS NULL");
  for (const oid of rows.pluck().iterate()) yield hexOf(oid) as Oid;
}
