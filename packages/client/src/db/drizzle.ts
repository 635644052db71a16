/**
 * What is used of drizzle-orm, as CommonJS: Node parses the 180 KB of its package.json again for each of its 200 ES
 * modules, to learn what they are (0.45 on Node 24), and a process took ten times as long to load it: longer
 * than all else of its start.
 */
import { createRequire } from "node:module";

const load = createRequire(import.meta.url);

export const { desc, eq, sql } = load("drizzle-orm") as typeof import("drizzle-orm");
export const { drizzle } = load(
  "drizzle-orm/better-sqlite3",
) as typeof import("drizzle-orm/better-sqlite3");
export const { migrate } = load(
  "drizzle-orm/better-sqlite3/migrator",
) as typeof import("drizzle-orm/better-sqlite3/migrator");
export const { blob, index, integer, primaryKey, sqliteTable, text } = load(
  "drizzle-orm/sqlite-core",
) as typeof import("drizzle-orm/sqlite-core");
