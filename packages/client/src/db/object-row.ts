import {
  authoritativeRecno,
  bytesToText,
  readStoredXattrs,
  textToBytes,
  writeStoredXattrs,
  type ConflictNote,
  type ObjectKind,
  type Oid,
  type PeerId,
  type Recno,
  type Sha256,
  type TreeObject,
} from "@izo/core";

/** Numbers of the kinds in the column `kind`: they are on disk and never change. */
const KINDS: readonly ObjectKind[] = ["file", "directory", "symlink", "special"];

/** Columns of an object's value in the order of {@link bindObject}, shared by `objects` and `tombstones`. */
export const OBJECT_COLUMNS = [
  "oid",
  "kind",
  "creator",
  "mode",
  "uid",
  "gid",
  "attributes_version",
  "size_bytes",
  "mtime_ns",
  "sha256",
  "content_version",
  "target",
  "rdev",
  "xattrs",
  "conflict",
] as const;

/** A row as read with safe integers: times do not fit into a double. */
export interface ObjectRow {
  readonly oid: Buffer;
  readonly kind: bigint;
  readonly creator: Buffer;
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly attributes_version: bigint;
  readonly size_bytes: bigint;
  readonly mtime_ns: bigint;
  readonly sha256: Buffer | null;
  readonly content_version: bigint;
  readonly target: Buffer | null;
  readonly rdev: bigint;
  readonly xattrs: string | null;
  readonly conflict: string | null;
}

/** The bytes of an id or a hash. */
export function idBytes(id: string): Buffer {
  return Buffer.from(id, "hex");
}

/** The values of a row, for a statement that names {@link OBJECT_COLUMNS}. */
export function bindObject(object: TreeObject): unknown[] {
  return [
    idBytes(object.oid),
    KINDS.indexOf(object.kind),
    idBytes(object.creator),
    object.mode,
    object.uid,
    object.gid,
    authoritativeRecno(object.attributesVersion),
    object.sizeBytes,
    object.mtimeNs,
    object.sha256 === null ? null : idBytes(object.sha256),
    authoritativeRecno(object.contentVersion),
    object.target === "" ? null : textToBytes(object.target),
    object.rdev,
    object.xattrs.size === 0 ? null : writeStoredXattrs(object.xattrs),
    object.conflict === null ? null : JSON.stringify(object.conflict),
  ];
}

/** The object of a row. */
export function objectOf(row: ObjectRow): TreeObject {
  return {
    oid: row.oid.toString("hex") as Oid,
    kind: KINDS[Number(row.kind)]!,
    creator: row.creator.toString("hex") as PeerId,
    mode: Number(row.mode),
    uid: Number(row.uid),
    gid: Number(row.gid),
    attributesVersion: Number(row.attributes_version) as Recno,
    sizeBytes: Number(row.size_bytes),
    mtimeNs: row.mtime_ns,
    sha256: row.sha256 === null ? null : (row.sha256.toString("hex") as Sha256),
    contentVersion: Number(row.content_version) as Recno,
    target: row.target === null ? "" : bytesToText(row.target),
    rdev: Number(row.rdev),
    xattrs: row.xattrs === null ? new Map() : readStoredXattrs(row.xattrs),
    conflict: row.conflict === null ? null : (JSON.parse(row.conflict) as ConflictNote),
  };
}
