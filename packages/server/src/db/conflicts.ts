import type { Oid, Recno, Sha256 } from "@izo/core";

import { bytesOf, hexOf } from "./columns.ts";
import type { Connection } from "./connection.ts";

/** Objects of the tree that carry a conflict note. */
export function conflictCopies(connection: Connection): Oid[] {
  return connection
    .prepare<[], Buffer>(
      "SELECT oid FROM objects WHERE conflict IS NOT NULL AND to_recno IS NULL ORDER BY oid",
    )
    .pluck()
    .all()
    .map((oid) => hexOf(oid) as Oid);
}

/** The content of an object in one of its versions; undefined where the index does not know it. */
export function contentOfVersion(
  connection: Connection,
  oid: Oid,
  version: Recno,
): { readonly sha256: Sha256; readonly sizeBytes: number } | undefined {
  const row = connection
    .prepare<[Buffer, number], { sha256: Buffer | null; size_bytes: number }>(
      "SELECT sha256, size_bytes FROM objects WHERE oid = ? AND content_version = ? LIMIT 1",
    )
    .get(bytesOf(oid), version);
  if (row === undefined || row.sha256 === null) return undefined;
  return { sha256: hexOf(row.sha256) as Sha256, sizeBytes: row.size_bytes };
}
