import type { Name, Oid, Recno, Sha256 } from "@izo/core";
import type { Stat } from "@izo/sys";

import { bytesOf, hexColumn, hexOf, nameOf } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { type DiskNote, type DiskRow, noteOf } from "./disk-notes.ts";
import { prepared } from "./prepared.ts";

/** Objects whose content this is now. */
export function objectsWithContent(connection: Connection, sha256: Sha256): Oid[] {
  return prepared<[Buffer], Buffer>(
    connection,
    "SELECT oid FROM objects WHERE sha256 = ? AND to_recno IS NULL LIMIT 16",
    (statement) => statement.pluck(),
  )
    .all(bytesOf(sha256))
    .map((oid) => hexOf(oid) as Oid);
}

/** Names in the tree of objects whose content this is now, with the stat that was noted when they had it. */
export function notedPlaces(
  connection: Connection,
  sha256: Sha256,
): { parent: Oid; name: Name; note: DiskNote }[] {
  return prepared<[Buffer], NotedRow>(
    connection,
    "SELECT e.parent, e.name, d.* FROM objects o JOIN disk d ON d.oid = o.oid JOIN entries e ON e.oid = o.oid AND e.to_recno IS NULL WHERE o.sha256 = ? AND o.to_recno IS NULL LIMIT 16",
    (statement) => statement.safeIntegers(),
  )
    .all(bytesOf(sha256))
    .map((row) => ({
      parent: hexOf(row.parent) as Oid,
      name: nameOf(row.name),
      note: noteOf(row),
    }));
}

/** A content of an object that has it now, and a place where it was noted. */
export interface NotedContent {
  readonly sha256: Sha256;
  readonly contentVersion: Recno;
  readonly parent: Oid;
  readonly name: Name;
  readonly note: DiskNote;
}

const NOTE_COLUMNS = [
  "dev",
  "ino",
  "btime_ns",
  "size_bytes",
  "mtime_ns",
  "ctime_ns",
  "mode",
  "uid",
  "gid",
]
  .map((name) => `d.${name}`)
  .join(", ");

/**
 * The first of the contents up to a size that objects have now and got from one of the records `after` + 1 to `until`, in
 * that order, with each of their names.
 */
export function notedContentsBetween(
  connection: Connection,
  range: {
    readonly after: Recno;
    readonly until: Recno;
    readonly maxBytes: number;
    readonly limit: number;
  },
): NotedContent[] {
  return prepared<[typeof range], NotedContentRow>(
    connection,
    `SELECT ${hexColumn("sha256", "o.")}, o.content_version, ${hexColumn("parent", "e.")}, e.name, ${NOTE_COLUMNS} FROM objects o JOIN disk d ON d.oid = o.oid JOIN entries e ON e.oid = o.oid AND e.to_recno IS NULL WHERE o.content_version > @after AND o.content_version <= @until AND o.to_recno IS NULL AND o.sha256 IS NOT NULL AND o.size_bytes <= @maxBytes ORDER BY o.content_version LIMIT @limit`,
    (statement) => statement.safeIntegers(),
  )
    .all(range)
    .map((row) => ({
      sha256: row.sha256,
      contentVersion: Number(row.content_version) as Recno,
      parent: row.parent,
      name: nameOf(row.name),
      note: noteOf(row),
    }));
}

type NotedContentRow = Omit<DiskRow, "oid"> & {
  readonly sha256: Sha256;
  readonly content_version: bigint;
  readonly parent: Oid;
  readonly name: Buffer;
};

type NotedRow = DiskRow & { readonly parent: Buffer; readonly name: Buffer };

/** Contents up to a size that objects have now and got from one of the records `after` + 1 to `until`. */
export function contentsBetween(
  connection: Connection,
  range: { readonly after: Recno; readonly until: Recno; readonly maxBytes: number },
): Sha256[] {
  return connection
    .prepare<[typeof range], Buffer>(
      "SELECT DISTINCT sha256 FROM objects WHERE content_version > @after AND content_version <= @until AND to_recno IS NULL AND sha256 IS NOT NULL AND size_bytes <= @maxBytes",
    )
    .pluck()
    .all(range)
    .map((sha256) => hexOf(sha256) as Sha256);
}

/** The record with which the last object that had this content got another, or ended. */
export function contentEndedAt(connection: Connection, sha256: Sha256): Recno | undefined {
  return (
    prepared<[Buffer], Recno | null>(
      connection,
      "SELECT max(to_recno) FROM objects WHERE sha256 = ?",
      (statement) => statement.pluck(),
    ).get(bytesOf(sha256)) ?? undefined
  );
}

/** Tells whether the log ever named this content. */
export function isContentKnown(connection: Connection, sha256: Sha256): boolean {
  return (
    connection.prepare("SELECT 1 FROM objects WHERE sha256 = ? LIMIT 1").get(bytesOf(sha256)) !==
    undefined
  );
}

interface RetainedRow {
  readonly ino: bigint;
  readonly size_bytes: bigint;
  readonly mtime_ns: bigint;
  readonly ctime_ns: bigint;
}

/** Tells whether a retained inode is as it was when it was put aside (design D8). */
export function isRetainedIntact(connection: Connection, sha256: Sha256, stat: Stat): boolean {
  const row = prepared<[Buffer], RetainedRow>(
    connection,
    "SELECT ino, size_bytes, mtime_ns, ctime_ns FROM retained WHERE sha256 = ?",
    (statement) => statement.safeIntegers(),
  ).get(bytesOf(sha256));
  return (
    row !== undefined &&
    row.ino === stat.ino &&
    row.size_bytes === BigInt(stat.size) &&
    row.mtime_ns === stat.mtimeNs &&
    row.ctime_ns === stat.ctimeNs
  );
}

export function noteRetained(
  connection: Connection,
  sha256: Sha256,
  stat: Stat,
  sinceMs: number,
): void {
  prepared(
    connection,
    "INSERT OR REPLACE INTO retained (sha256, ino, size_bytes, mtime_ns, ctime_ns, since_ms) VALUES (?, ?, ?, ?, ?, ?)",
  ).run(bytesOf(sha256), stat.ino, BigInt(stat.size), stat.mtimeNs, stat.ctimeNs, sinceMs);
}

/** Which of the retained contents go. */
export interface RetainedLimits {
  /** What was replaced later than this stays. */
  readonly replacedBeforeMs: number;
  /** What was replaced before this goes. */
  readonly outlivedBeforeMs: number;
  readonly maxCount: number;
  readonly maxBytes: number;
}

/** The retained contents that are beyond the limits, the oldest of them. */
export function retainedBeyond(connection: Connection, limits: RetainedLimits): Sha256[] {
  return connection
    .prepare<[RetainedLimits], Buffer>(
      `SELECT sha256 FROM (
         SELECT sha256, since_ms, row_number() OVER newest AS place, sum(size_bytes) OVER newest AS total
         FROM retained WINDOW newest AS (ORDER BY since_ms DESC, sha256)
       ) WHERE since_ms < @replacedBeforeMs
         AND (since_ms < @outlivedBeforeMs OR place > @maxCount OR total > @maxBytes)`,
    )
    .pluck()
    .all(limits)
    .map((sha256) => hexOf(sha256) as Sha256);
}

/** Takes retained contents, whose files are gone, out of the index. */
export function forgetRetained(connection: Connection, hashes: readonly Sha256[]): void {
  const remove = connection.prepare<[Buffer]>("DELETE FROM retained WHERE sha256 = ?");
  connection.transaction(() => {
    for (const sha256 of hashes) remove.run(bytesOf(sha256));
  })();
}

/** How many old contents there are, and the sum of their sizes. */
export function sumRetained(connection: Connection): { count: number; bytes: number } {
  return connection
    .prepare<[], { count: number; bytes: number }>(
      "SELECT count(*) AS count, coalesce(sum(size_bytes), 0) AS bytes FROM retained",
    )
    .get()!;
}
