import type { Oid, Recno, Sha256 } from "@izo/core";
import type { Stat } from "@izo/sys";

import { bytesOf, hexOf } from "./columns.ts";
import type { Connection } from "./open-index.ts";

/** Objects whose content this is now. */
export function objectsWithContent(connection: Connection, sha256: Sha256): Oid[] {
  return connection
    .prepare<[Buffer], Buffer>(
      "SELECT oid FROM objects WHERE sha256 = ? AND to_recno IS NULL LIMIT 16",
    )
    .pluck()
    .all(bytesOf(sha256))
    .map((oid) => hexOf(oid) as Oid);
}

/** The record with which the last object that had this content got another, or ended. */
export function contentEndedAt(connection: Connection, sha256: Sha256): Recno | undefined {
  return (
    connection
      .prepare<[Buffer], Recno | null>("SELECT max(to_recno) FROM objects WHERE sha256 = ?")
      .pluck()
      .get(bytesOf(sha256)) ?? undefined
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
  const row = connection
    .prepare<[Buffer], RetainedRow>(
      "SELECT ino, size_bytes, mtime_ns, ctime_ns FROM retained WHERE sha256 = ?",
    )
    .safeIntegers()
    .get(bytesOf(sha256));
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
  connection
    .prepare(
      "INSERT OR REPLACE INTO retained (sha256, ino, size_bytes, mtime_ns, ctime_ns, since_ms) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .run(bytesOf(sha256), stat.ino, BigInt(stat.size), stat.mtimeNs, stat.ctimeNs, sinceMs);
}

/** Takes the retained contents that are older from the index and names them, to be removed. */
export function forgetRetainedBefore(connection: Connection, beforeMs: number): Sha256[] {
  return connection
    .prepare<[number], Buffer>("DELETE FROM retained WHERE since_ms < ? RETURNING sha256")
    .pluck()
    .all(beforeMs)
    .map((sha256) => hexOf(sha256) as Sha256);
}
