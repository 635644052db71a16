import type { Recno } from "@izo/core";

import type { Connection } from "./connection.ts";

/** Rows removed in one transaction: some milliseconds during which nothing else is applied. */
const BATCH_ROWS = 2_000;

/**
 * Removes rows that held only before the oldest retained record, a bounded number of them, in one
 * transaction. What became of each client record stays: it answers a resend, however late (design P1).
 *
 * @returns false when none is left
 */
export function pruneHistory(connection: Connection, oldest: Recno): boolean {
  const prune = connection.transaction(() => {
    // A tombstone needs the row of its object, so it goes first.
    for (const { table, ended } of TABLES) {
      const { changes } = connection
        .prepare<[Recno, number]>(
          `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE ${ended} < ? LIMIT ?)`,
        )
        .run(oldest, BATCH_ROWS);
      if (changes > 0) return true;
    }
    return false;
  });
  return prune.immediate();
}

const TABLES = [
  { table: "tombstones", ended: "removed_at" },
  { table: "entries", ended: "to_recno" },
  { table: "objects", ended: "to_recno" },
] as const;
