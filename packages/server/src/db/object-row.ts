import type { ConflictNote, ObjectKind, Oid, PeerId, Recno, Sha256, TreeObject } from "@izo/core";
import { authoritativeRecno, bytesToText, readStoredXattrs, writeStoredXattrs } from "@izo/core";

import { bytesOf, bytesOfText, hexColumn } from "./columns.ts";

/** A row as {@link selectObject} names it, read with whole numbers as bigint: times in nanoseconds need them. */
export interface ObjectRow {
  readonly oid: Oid;
  readonly from_recno: bigint;
  readonly to_recno: bigint | null;
  readonly kind: ObjectKind;
  readonly creator: PeerId;
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly attributes_version: bigint;
  readonly size_bytes: bigint;
  readonly mtime_ns: bigint;
  readonly sha256: Sha256 | null;
  readonly content_version: bigint;
  readonly target: Buffer | null;
  readonly rdev: bigint;
  readonly xattrs: string | null;
  readonly conflict: string | null;
}

/** Columns in the order of {@link objectValues}, behind `oid` and `from_recno`. */
export const OBJECT_COLUMNS =
  "kind, creator, mode, uid, gid, attributes_version, size_bytes, mtime_ns, sha256, content_version, target, rdev, xattrs, conflict";

/** What a query of an {@link ObjectRow} selects. @param table with its dot, where a query has several */
export function selectObject(table = ""): string {
  const columns = ["oid", "from_recno", "to_recno", ...OBJECT_COLUMNS.split(", ")];
  return columns
    .map((name) => (HEX_COLUMNS.has(name) ? hexColumn(name, table) : `${table}${name}`))
    .join(", ");
}

const HEX_COLUMNS: ReadonlySet<string> = new Set(["oid", "creator", "sha256"]);

/** Values of {@link OBJECT_COLUMNS}. */
export function objectValues(object: TreeObject): unknown[] {
  return [
    object.kind,
    bytesOf(object.creator),
    object.mode,
    object.uid,
    object.gid,
    authoritativeRecno(object.attributesVersion),
    object.sizeBytes,
    object.mtimeNs,
    object.sha256 === null ? null : bytesOf(object.sha256),
    authoritativeRecno(object.contentVersion),
    object.target === "" ? null : bytesOfText(object.target),
    object.rdev,
    object.xattrs.size === 0 ? null : writeStoredXattrs(object.xattrs),
    object.conflict === null ? null : JSON.stringify(object.conflict),
  ];
}

export function objectOf(row: ObjectRow): TreeObject {
  return {
    oid: row.oid,
    kind: row.kind,
    creator: row.creator,
    mode: Number(row.mode),
    uid: Number(row.uid),
    gid: Number(row.gid),
    attributesVersion: Number(row.attributes_version) as Recno,
    sizeBytes: Number(row.size_bytes),
    mtimeNs: row.mtime_ns,
    sha256: row.sha256,
    contentVersion: Number(row.content_version) as Recno,
    target: row.target === null ? "" : bytesToText(row.target),
    rdev: Number(row.rdev),
    xattrs: row.xattrs === null ? new Map() : readStoredXattrs(row.xattrs),
    conflict: row.conflict === null ? null : (JSON.parse(row.conflict) as ConflictNote),
  };
}
