import { constants } from "node:fs";

import type { Oid } from "@izo/core";
import type { Stat } from "@izo/sys";
import type { Statement } from "better-sqlite3";

import { bytesOf, hexOf } from "./columns.ts";
import type { Connection } from "./connection.ts";

/** What of a stat tells that an inode is the same, unchanged. */
export interface DiskNote {
  readonly dev: bigint;
  readonly ino: bigint;
  /** 0 where the file system keeps no birth times. */
  readonly btimeNs: bigint;
  readonly sizeBytes: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
}

/** As SQLite gives it, with integers that are safe. */
export interface DiskRow {
  readonly oid: Buffer;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly btime_ns: bigint;
  readonly size_bytes: bigint;
  readonly mtime_ns: bigint;
  readonly ctime_ns: bigint;
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
}

/**
 * Stats noted when an inode was known to hold what the log says. A cache: a missing note costs a hash,
 * a wrong one would hide a local change, so a note is written only with the record that it belongs to.
 */
export class DiskNotes {
  readonly #get: Statement;
  readonly #byInode: Statement;
  readonly #put: Statement;
  readonly #drop: Statement;

  constructor(connection: Connection) {
    this.#get = connection.prepare("SELECT * FROM disk WHERE oid = ?").safeIntegers();
    this.#byInode = connection
      .prepare("SELECT * FROM disk WHERE ino = ? AND dev = ? AND btime_ns = ?")
      .safeIntegers();
    this.#put = connection.prepare(
      "INSERT OR REPLACE INTO disk (oid, dev, ino, btime_ns, size_bytes, mtime_ns, ctime_ns, mode, uid, gid) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#drop = connection.prepare("DELETE FROM disk WHERE oid = ?");
  }

  get(oid: Oid): DiskNote | undefined {
    const row = this.#get.get(bytesOf(oid)) as DiskRow | undefined;
    return row && noteOf(row);
  }

  /** The object whose inode this is: same number, device and birth time, which must be known (design S2). */
  findInode(note: DiskNote): Oid | undefined {
    if (note.btimeNs === 0n) return undefined;
    const row = this.#byInode.get(note.ino, note.dev, note.btimeNs) as DiskRow | undefined;
    return row && (hexOf(row.oid) as Oid);
  }

  put(oid: Oid, note: DiskNote): void {
    this.#put.run(
      bytesOf(oid),
      note.dev,
      note.ino,
      note.btimeNs,
      note.sizeBytes,
      note.mtimeNs,
      note.ctimeNs,
      note.mode,
      note.uid,
      note.gid,
    );
  }

  drop(oid: Oid): void {
    this.#drop.run(bytesOf(oid));
  }
}

/** The part of a stat that is noted. */
export function noteOfStat(stat: Stat): DiskNote {
  return {
    dev: stat.dev,
    ino: stat.ino,
    btimeNs: stat.btimeNs ?? 0n,
    sizeBytes: BigInt(stat.size),
    mtimeNs: stat.mtimeNs,
    ctimeNs: stat.ctimeNs,
    mode: BigInt(stat.mode),
    uid: BigInt(stat.uid),
    gid: BigInt(stat.gid),
  };
}

/** Tells whether both are the same inode. A number alone does not: ext4 gives it away at once. */
export function isSameInode(a: DiskNote, b: DiskNote): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.btimeNs === b.btimeNs;
}

/** Tells whether a directory has the attributes that were noted; its entries change its times. */
export function isSameDirectory(a: DiskNote, b: DiskNote): boolean {
  return isSameInode(a, b) && a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}

/** Tells whether the inode is the same and nothing was done to it since: ctime cannot be set back. */
export function isUnchanged(a: DiskNote, b: DiskNote): boolean {
  return (
    isSameInode(a, b) &&
    a.ctimeNs === b.ctimeNs &&
    a.mtimeNs === b.mtimeNs &&
    a.sizeBytes === b.sizeBytes
  );
}

/** The same inode with the same content, as far as anything but ctime tells: a rename sets that. */
export function isSameContent(a: DiskNote, b: DiskNote): boolean {
  return isSameInode(a, b) && a.mtimeNs === b.mtimeNs && a.sizeBytes === b.sizeBytes;
}

/** The same inode with the same content and attributes. Entries of a directory change its times. */
export function isSameButForCtime(a: DiskNote, b: DiskNote): boolean {
  const isDirectory = (Number(a.mode) & constants.S_IFMT) === constants.S_IFDIR;
  const hasSameContent = isDirectory ? isSameInode(a, b) : isSameContent(a, b);
  return hasSameContent && a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}

export function noteOf(row: Omit<DiskRow, "oid">): DiskNote {
  return {
    dev: row.dev,
    ino: row.ino,
    btimeNs: row.btime_ns,
    sizeBytes: row.size_bytes,
    mtimeNs: row.mtime_ns,
    ctimeNs: row.ctime_ns,
    mode: row.mode,
    uid: row.uid,
    gid: row.gid,
  };
}
