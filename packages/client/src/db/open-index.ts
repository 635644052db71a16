import { renameSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";

import { packageDirectory } from "@izo/sys";
import Database from "better-sqlite3";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";

import { drizzle, migrate } from "./drizzle.ts";

/** An open `index.sqlite`: prepared statements where it is hot, drizzle where it is not. */
export interface ClientIndex {
  readonly sqlite: Database.Database;
  readonly orm: BetterSQLite3Database;
  /** Resolves when all transactions so far survive a power cut. */
  readonly sync: () => Promise<void>;
  /** Where a damaged file was put aside when the index was opened; null where it was sound. */
  readonly setAside: string | null;
}

const MIGRATIONS = join(packageDirectory("@izo/client", import.meta.url), "drizzle");

/**
 * Opens a client's index, and makes it where there is none. A damaged one is put aside under a name
 * that ends in `.damaged`, and an empty one takes its place: the tree comes from the server again, and
 * nothing that only this client knows is in it.
 *
 * @param isPassing nothing of it outlives this process: it is never synced
 */
export function openIndex(path: string, isPassing = false): ClientIndex {
  try {
    return { ...openSound(path, isPassing), setAside: null };
  } catch (error) {
    if (!isDamage(error)) throw error;
    const setAside = `${path}.damaged`;
    renameSync(path, setAside);
    // The write-ahead log belongs to the damaged file; applied to a new one it would damage that too.
    for (const suffix of ["-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
    return { ...openSound(path, isPassing), setAside };
  }
}

/** Opens an index that is there, to read it; nothing is migrated, renewed or put aside. */
export function openIndexReader(path: string): Pick<ClientIndex, "sqlite" | "orm"> {
  const sqlite = new Database(path, { readonly: true });
  return { sqlite, orm: drizzle(sqlite, { casing: "snake_case" }) };
}

function openSound(path: string, isPassing: boolean): Omit<ClientIndex, "setAside"> {
  const sqlite = new Database(path);
  try {
    // Before all else: to make a database syncs several times.
    if (isPassing) sqlite.pragma("synchronous = OFF");
    sqlite.pragma("journal_mode = WAL");
    // NORMAL syncs at checkpoints only, and `sync` when somebody waits for it. A power cut may take back the
    // last transactions, whole ones: the position goes back with the tree, and the records are pulled again.
    if (!isPassing) sqlite.pragma("synchronous = NORMAL");
    sqlite.pragma("cache_size = -32768"); // 32 MiB: the inner pages of a million objects
    if (sqlite.pragma("quick_check(1)", { simple: true }) !== "ok") throw new DamagedIndexError();
    const orm = drizzle(sqlite, { casing: "snake_case" });
    migrate(orm, { migrationsFolder: MIGRATIONS });
    return { sqlite, orm, sync: () => syncWriteAheadLog(path) };
  } catch (error) {
    sqlite.close();
    throw error;
  }
}

/**
 * Each transaction is whole in the write-ahead log, with a checksum, so its data alone makes all of them
 * durable. A checkpoint, which would be SQLite's own way, writes every page once more.
 */
async function syncWriteAheadLog(path: string): Promise<void> {
  await using log = await open(`${path}-wal`, "r");
  await log.datasync();
}

class DamagedIndexError extends Error {}

function isDamage(error: unknown): boolean {
  if (error instanceof DamagedIndexError) return true;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT");
}
