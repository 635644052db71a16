import type Database from "better-sqlite3";

/** One connection to the index of a fileset. */
export type Connection = Database.Database;
