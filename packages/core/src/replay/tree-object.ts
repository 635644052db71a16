import type { Oid, PeerId, Recno, Sha256, TimeNs } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { Base, ConflictNote } from "../kml/operation.ts";

/** What an object is; it never changes over its life. */
export type ObjectKind = "file" | "directory" | "symlink" | "special";

/**
 * Version of one aspect of an object. In an authoritative state it is always a server recno; in a
 * client's visible state it can be the client's own record, which then serves later records as base.
 */
export type Version = Base;

export interface ExtendedAttribute {
  readonly value: Uint8Array;
  readonly version: Version;
}

/** Of most objects: one map for all of them. */
export const NO_XATTRS: ReadonlyMap<string, ExtendedAttribute> = new Map();

/** One object of a fileset, as replay knows it. Immutable: a change makes a new value. */
export interface TreeObject {
  readonly oid: Oid;
  readonly kind: ObjectKind;
  /** The peer that made it: an atomic save is recognised by it (design D2). */
  readonly creator: PeerId;
  /** Permission bits (07777); for a special file with its type bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly attributesVersion: Version;
  /** Bytes of a file's content; 0 for all else. */
  readonly sizeBytes: number;
  readonly mtimeNs: TimeNs;
  /** Hash of a file's content; null while a local CLOSE of it is open, and for all else than files. */
  readonly sha256: Sha256 | null;
  readonly contentVersion: Version;
  /** Where a symlink points; empty for all else. */
  readonly target: string;
  /** Device number of a special file; 0 for all else. */
  readonly rdev: number;
  readonly xattrs: ReadonlyMap<string, ExtendedAttribute>;
  /** Set on a conflict copy. */
  readonly conflict: ConflictNote | null;
}

/** A name of an object: (parent, name) → oid (design D1). */
export interface Entry {
  readonly parent: Oid;
  readonly name: Name;
  readonly oid: Oid;
  /** The record that put the object under this name. */
  readonly version: Version;
}

/** An object whose last name was removed: what a later edit needs to bring it back (design §7). */
export interface Tombstone {
  readonly object: TreeObject;
  readonly parent: Oid;
  readonly name: Name;
  /** Recno of the removal. */
  readonly removedAt: Version;
}

/** Of an oid: 16 bytes in hex. */
const OID_DIGITS = 32;

/** Key of an entry in maps. A name holds no NUL, an oid has a fixed length: the key is unambiguous. */
export function entryKey(parent: Oid, name: Name): string {
  return `${parent}${name}`;
}

/** The place that {@link entryKey} names. */
export function placeOfKey(key: string): { readonly parent: Oid; readonly name: Name } {
  return { parent: key.slice(0, OID_DIGITS) as Oid, name: key.slice(OID_DIGITS) as Name };
}

/** A version of an authoritative state: always a record of the server's log. @throws TypeError */
export function authoritativeRecno(version: Version): Recno {
  if (typeof version === "number") return version;
  throw new TypeError(
    `Cannot store the version ${version.peer}/${version.recno}: it is no record of the server`,
  );
}

/** Tells whether two versions are the same record. */
export function isSameVersion(a: Version, b: Version): boolean {
  if (typeof a === "number" || typeof b === "number") return a === b;
  return a.peer === b.peer && a.recno === b.recno;
}
