import type { Connection } from "./connection.ts";

/**
 * What is wrong with the pages of an index, in SQLite's words; null for nothing.
 *
 * @param isQuick leave out the comparison of tables with their own indexes, which takes as long as
 *   reading all of them (sqlite.org/pragma.html#pragma_quick_check)
 */
export function describeDamage(connection: Connection, isQuick: boolean): string | null {
  const check = isQuick ? "quick_check(1)" : "integrity_check(1)";
  const found = String(connection.pragma(check, { simple: true }));
  return found === "ok" ? null : found;
}
