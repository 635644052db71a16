import { renameSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

import Database from "better-sqlite3";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";

import { drizzle, migrate } from "./drizzle.ts";

/** An open `index.sqlite`: prepared statements where it is hot, drizzle where it is not. */
export interface ClientIndex {
  readonly sqlite: Database.Database;
  readonly orm: BetterSQLite3Database;
  /** Where a damaged file was put aside when the index was opened; null where it was sound. */
  readonly setAside: string | null;
}

const MIGRATIONS = fileURLToPath(new URL("../../drizzle", import.meta.url));

/**
 * Opens a client's index, and makes it where there is none. A damaged one is put aside under a name
 * that ends in `.damaged`, and an empty one takes its place: the tree comes from the server again, and
 * nothing that only this client knows is in it.
 */
export function openIndex(path: string): ClientIndex {
  try {
    return { ...open(path), setAside: null };
  } catch (error) {
    if (!isDamage(error)) throw error;
    const setAside = `${path}.damaged`;
    renameSync(path, setAside);
    // The write-ahead log belongs to the damaged file; applied to a new one it would damage that too.
    for (const suffix of ["-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
    return { ...open(path), setAside };
  }
}

/** Opens an index that is there, to read it; nothing is migrated, renewed or put aside. */
export function openIndexReader(path: string): Omit<ClientIndex, "setAside"> {
  const sqlite = new Database(path, { readonly: true });
  return { sqlite, orm: drizzle(sqlite, { casing: "snake_case" }) };
}

function open(path: string): Omit<ClientIndex, "setAside"> {
  const sqlite = new Database(path);
  try {
    sqlite.pragma("journal_mode = WAL");
    // NORMAL syncs at checkpoints only. A power cut may take back the last transactions, whole ones:
    // the position goes back with the tree, and the same records are pulled again.
    sqlite.pragma("synchronous = NORMAL");
    sqlite.pragma("cache_size = -32768"); // 32 MiB: the inner pages of a million objects
    if (sqlite.pragma("quick_check(1)", { simple: true }) !== "ok") throw new DamagedIndexError();
    const orm = drizzle(sqlite, { casing: "snake_case" });
    migrate(orm, { migrationsFolder: MIGRATIONS });
    return { sqlite, orm };
  } catch (error) {
    sqlite.close();
    throw error;
  }
}

class DamagedIndexError extends Error {}

function isDamage(error: unknown): boolean {
  if (error instanceof DamagedIndexError) return true;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT");
}
