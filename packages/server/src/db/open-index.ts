/**
 * Opens the index of a fileset: one connection that the queue writes through, and as many that read.
 *
 * Nothing here is the truth (design D7). A file that SQLite cannot read, or that belongs to another
 * fileset or log, is put aside, never deleted, and an empty index takes its place: the caller replays
 * the log.
 */

import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";

import { IzoError, type FilesetId, type Position } from "@izo/core";
import { packageDirectory } from "@izo/sys";
import Database from "better-sqlite3";

import type { Connection } from "./connection.ts";
import { drizzle, migrate } from "./drizzle.ts";
import { describeDamage } from "./index-damage.ts";
import { readHead, startHead } from "./index-head.ts";

export interface OpenedIndex {
  readonly connection: Connection;
  /** Where the file is now that could not be used, and what was wrong with it; null where there was none. */
  readonly putAside: PutAside | null;
}

export interface PutAside {
  readonly path: string;
  readonly reason: string;
}

const MIGRATIONS = join(packageDirectory("@izo/server", import.meta.url), "migrations");

/**
 * Opens the index to write to it, made where it is missing and renewed where it is damaged.
 *
 * @param isInLog tells whether a position is one of the log: an index that stands elsewhere describes
 *   another one, as after one of the two came from a backup
 */
export function openIndex(
  path: string,
  fileset: FilesetId,
  isInLog: (position: Position) => boolean,
  nowMs: number,
): OpenedIndex {
  try {
    return { connection: openChecked(path, fileset, isInLog), putAside: null };
  } catch (error) {
    if (!isDamage(error)) throw error;
    const aside = putIndexAside(path, nowMs);
    const { message: reason } = error as Error;
    return {
      connection: openChecked(path, fileset, isInLog),
      putAside: { path: aside, reason },
    };
  }
}

/** Renames the index with all that belongs to it; returns its new path. */
export function putIndexAside(path: string, nowMs: number): string {
  const aside = `${path}.damaged-${nowMs}`;
  for (const suffix of ["", "-wal", "-shm"]) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  return aside;
}

/** One more connection that sees what is committed, and nothing of a transaction in progress. */
export function openReader(path: string): Connection {
  const connection = new Database(path, { readonly: true });
  // A reader of a WAL waits only while a checkpoint restarts it.
  connection.pragma("busy_timeout = 5000");
  return connection;
}

/** The index is of another fileset, or one of its pages is not what SQLite wrote. */
class IndexDamageError extends IzoError {
  constructor(path: string, reason: string) {
    super("index-damaged", `Cannot use the index "${path}": ${reason}`, { path, reason });
  }
}

function openChecked(
  path: string,
  fileset: FilesetId,
  isInLog: (position: Position) => boolean,
): Connection {
  const connection = new Database(path);
  try {
    connection.pragma("journal_mode = WAL");
    // A commit that a power cut takes back is replayed from the log, so it need not be synced; NORMAL
    // keeps the file whole all the same (sqlite.org/pragma.html#pragma_synchronous).
    connection.pragma("synchronous = NORMAL");
    connection.pragma("cache_size = -65536");
    const damage = describeDamage(connection, true);
    if (damage !== null) throw new IndexDamageError(path, damage);
    migrate(drizzle(connection), { migrationsFolder: MIGRATIONS });
    const head = readHead(connection);
    if (head === undefined) startHead(connection, fileset);
    else if (head.fileset !== fileset) {
      throw new IndexDamageError(path, `it belongs to the fileset ${head.fileset}`);
    } else if (!isInLog(head.position)) {
      const { recno } = head.position;
      throw new IndexDamageError(path, `it stands at record ${recno} of another log`);
    }
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function isDamage(error: unknown): boolean {
  if (error instanceof IndexDamageError) return true;
  const code = error instanceof Database.SqliteError ? error.code : "";
  return code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB";
}
