import type { ClientIndex } from "./open-index.ts";

/** What is wrong with an index, in SQLite's words; null for nothing. */
export function describeDamage(sqlite: ClientIndex["sqlite"]): string | null {
  try {
    const found = String(sqlite.pragma("quick_check(1)", { simple: true }));
    return found === "ok" ? null : found;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
