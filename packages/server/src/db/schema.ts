import {
  blob,
  index,
  integer,
  primaryKey,
  sql,
  sqliteTable,
  text,
  uniqueIndex,
} from "./drizzle.ts";

/**
 * The index of one fileset (design D7). All of it but `disk` and `retained` follows from the log and
 * is rebuilt from it; those two are a cache of what the disk looked like, rebuilt by hashing again.
 *
 * Rows of the tree hold from the record `from_recno` on and before `to_recno`, null while they hold
 * still: the tree at any retained recno is a query. Names are bytes, as are ids and hashes.
 */

/** Where the index stands in the log: one row. It moves in the transaction of what it describes. */
export const head = sqliteTable("head", {
  id: integer("id").primaryKey(),
  recno: integer("recno").notNull(),
  hash: blob("hash", { mode: "buffer" }).notNull(),
  logTimeNs: integer("log_time_ns").notNull(),
  fileset: blob("fileset", { mode: "buffer" }).notNull(),
  /** Regular files of the tree there, and the sum of their sizes: to count them takes seconds. */
  files: integer("files").notNull().default(0),
  bytes: integer("bytes").notNull().default(0),
});

export const objects = sqliteTable(
  "objects",
  {
    oid: blob("oid", { mode: "buffer" }).notNull(),
    fromRecno: integer("from_recno").notNull(),
    toRecno: integer("to_recno"),
    kind: text("kind").notNull(),
    creator: blob("creator", { mode: "buffer" }).notNull(),
    mode: integer("mode").notNull(),
    uid: integer("uid").notNull(),
    gid: integer("gid").notNull(),
    attributesVersion: integer("attributes_version").notNull(),
    sizeBytes: integer("size_bytes").notNull(),
    mtimeNs: integer("mtime_ns").notNull(),
    sha256: blob("sha256", { mode: "buffer" }),
    contentVersion: integer("content_version").notNull(),
    target: blob("target", { mode: "buffer" }),
    rdev: integer("rdev").notNull(),
    /** JSON `[name, value in base64, version]`; null for none. */
    xattrs: text("xattrs"),
    /** JSON of the conflict note; null where it is no copy. */
    conflict: text("conflict"),
  },
  (table) => [
    primaryKey({ columns: [table.oid, table.fromRecno] }),
    uniqueIndex("objects_present")
      .on(table.oid)
      .where(sql`to_recno IS NULL`),
    index("objects_by_content").on(table.sha256, table.toRecno),
    index("objects_by_content_version")
      .on(table.contentVersion)
      .where(sql`to_recno IS NULL AND sha256 IS NOT NULL`),
    index("objects_in_conflict")
      .on(table.oid)
      .where(sql`conflict IS NOT NULL AND to_recno IS NULL`),
    index("objects_ended")
      .on(table.toRecno)
      .where(sql`to_recno IS NOT NULL`),
    index("objects_begun").on(table.fromRecno),
  ],
);

/** A name's version is the record that put it there: `from_recno`. */
export const entries = sqliteTable(
  "entries",
  {
    parent: blob("parent", { mode: "buffer" }).notNull(),
    name: blob("name", { mode: "buffer" }).notNull(),
    oid: blob("oid", { mode: "buffer" }).notNull(),
    fromRecno: integer("from_recno").notNull(),
    toRecno: integer("to_recno"),
  },
  (table) => [
    primaryKey({ columns: [table.parent, table.name, table.fromRecno] }),
    uniqueIndex("entries_present")
      .on(table.parent, table.name)
      .where(sql`to_recno IS NULL`),
    index("entries_by_object")
      .on(table.oid)
      .where(sql`to_recno IS NULL`),
    index("entries_ended")
      .on(table.toRecno)
      .where(sql`to_recno IS NOT NULL`),
    index("entries_begun").on(table.fromRecno),
    index("entries_left_by_object")
      .on(table.oid)
      .where(sql`to_recno IS NOT NULL`),
  ],
);

/** Objects without a name. What they were is their row of `objects` that ended at `removed_at`. */
export const tombstones = sqliteTable(
  "tombstones",
  {
    oid: blob("oid", { mode: "buffer" }).primaryKey(),
    parent: blob("parent", { mode: "buffer" }).notNull(),
    name: blob("name", { mode: "buffer" }).notNull(),
    removedAt: integer("removed_at").notNull(),
  },
  (table) => [index("tombstones_by_removal").on(table.removedAt)],
);

export const aliases = sqliteTable(
  "aliases",
  {
    alias: blob("alias", { mode: "buffer" }).primaryKey(),
    oid: blob("oid", { mode: "buffer" }).notNull(),
    fromRecno: integer("from_recno").notNull(),
  },
  (table) => [index("aliases_by_object").on(table.oid)],
);

/** What became of each client record: how a resend is answered (design P1). */
export const outcomes = sqliteTable(
  "outcomes",
  {
    peer: blob("peer", { mode: "buffer" }).notNull(),
    originRecno: integer("origin_recno").notNull(),
    verdict: text("verdict").notNull(),
    reason: text("reason"),
    trace: integer("trace").notNull(),
    originCheck: text("origin_check").notNull(),
    oid: blob("oid", { mode: "buffer" }).notNull(),
    nameVersion: integer("name_version").notNull(),
    contentVersion: integer("content_version").notNull(),
    attributesVersion: integer("attributes_version").notNull(),
  },
  (table) => [primaryKey({ columns: [table.peer, table.originRecno] })],
);

/**
 * `received_recno` follows from the log. The rest is what a peer was seen to do, and lost with the index:
 * it decides only for how long records are kept, and a peer of which nothing is known takes a snapshot.
 */
export const peers = sqliteTable("peers", {
  peer: blob("peer", { mode: "buffer" }).primaryKey(),
  host: text("host").notNull(),
  receivedRecno: integer("received_recno").notNull(),
  replayedRecno: integer("replayed_recno").notNull(),
  seenMs: integer("seen_ms").notNull(),
  /** An administrator said at this time that it will not come back; null where nobody did. */
  forgottenMs: integer("forgotten_ms"),
});

/** The stat of an object's inode when its content and attributes were last known to be those logged. */
export const disk = sqliteTable(
  "disk",
  {
    oid: blob("oid", { mode: "buffer" }).primaryKey(),
    dev: integer("dev").notNull(),
    ino: integer("ino").notNull(),
    btimeNs: integer("btime_ns").notNull(),
    sizeBytes: integer("size_bytes").notNull(),
    mtimeNs: integer("mtime_ns").notNull(),
    ctimeNs: integer("ctime_ns").notNull(),
    mode: integer("mode").notNull(),
    uid: integer("uid").notNull(),
    gid: integer("gid").notNull(),
  },
  (table) => [index("disk_by_inode").on(table.ino)],
);

/** Inodes kept in `objects/` after they were replaced (design D8); each counts only while its stat is this. */
export const retained = sqliteTable("retained", {
  sha256: blob("sha256", { mode: "buffer" }).primaryKey(),
  ino: integer("ino").notNull(),
  sizeBytes: integer("size_bytes").notNull(),
  mtimeNs: integer("mtime_ns").notNull(),
  ctimeNs: integer("ctime_ns").notNull(),
  sinceMs: integer("since_ms").notNull(),
});
