/**
 * Tables of a client's `index.sqlite` (design D7): the authoritative tree and where it stands. All of
 * it can be had from the server again. What a client alone knows, its own records, is in its own log;
 * which contents are here, the cache's inodes say themselves.
 *
 * Ids and hashes are their bytes, names and other texts that may hold any byte are BLOBs, times are
 * 64-bit nanoseconds. Migrations are made from this file: `pnpm exec drizzle-kit generate`.
 */

import { blob, index, integer, primaryKey, sqliteTable, text } from "./drizzle.ts";

const bytes = () => blob({ mode: "buffer" });

/** Columns of one value of an object. The kinds are numbered in `object-row.ts`. */
const objectColumns = () => ({
  oid: bytes().primaryKey(),
  kind: integer().notNull(),
  creator: bytes().notNull(),
  mode: integer().notNull(),
  uid: integer().notNull(),
  gid: integer().notNull(),
  attributesVersion: integer().notNull(),
  sizeBytes: integer().notNull(),
  mtimeNs: integer().notNull(),
  sha256: bytes(),
  contentVersion: integer().notNull(),
  target: bytes(),
  rdev: integer().notNull(),
  /** JSON `[name, base64 value, version][]`; null for none, as nearly always. */
  xattrs: text(),
  /** JSON of the conflict note; null for all but conflict copies. */
  conflict: text(),
});

export const objects = sqliteTable("objects", objectColumns());

export const entries = sqliteTable(
  "entries",
  {
    parent: bytes().notNull(),
    name: bytes().notNull(),
    oid: bytes().notNull(),
    version: integer().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.parent, table.name] }),
    index("entries_by_oid").on(table.oid),
  ],
);

/** Removed objects, with what a pending record needs to bring one back. */
export const tombstones = sqliteTable(
  "tombstones",
  {
    ...objectColumns(),
    parent: bytes().notNull(),
    name: bytes().notNull(),
    removedAt: integer().notNull(),
  },
  (table) => [index("tombstones_by_recno").on(table.removedAt)],
);

export const aliases = sqliteTable("aliases", {
  alias: bytes().primaryKey(),
  oid: bytes().notNull(),
});

/** What became of the own records; other peers' outcomes decide nothing here and are not kept. */
export const outcomes = sqliteTable(
  "outcomes",
  {
    peer: bytes().notNull(),
    recno: integer().notNull(),
    verdict: text().$type<"applied" | "merged" | "copied" | "refused">().notNull(),
    reason: text(),
    trace: integer().notNull(),
    check: text().notNull(),
    oid: bytes().notNull(),
    nameVersion: integer().notNull(),
    contentVersion: integer().notNull(),
    attributesVersion: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.peer, table.recno] })],
);

/** One row: where the authoritative state stands. No row before the first snapshot. */
export const standing = sqliteTable("standing", {
  id: integer().primaryKey(),
  recno: integer().notNull(),
  hash: bytes().notNull(),
  /** The last own record whose trace was replayed, and whose: meaningless under another peer id. */
  acknowledgedPeer: bytes().notNull(),
  acknowledgedRecno: integer().notNull(),
  acknowledgedCheck: text().notNull(),
});

/** Places where the state has stood, thinned out with age: how far a restored server's log is the same. */
export const positions = sqliteTable("positions", {
  recno: integer().primaryKey(),
  hash: bytes().notNull(),
});
