import { ByteFormatError, type ByteReader } from "../kml/byte-reader.ts";
import type { ByteWriter } from "../kml/byte-writer.ts";
import type { Oid, PeerId, Recno, Sha256 } from "../kml/identity.ts";
import { InvalidRecordError } from "../kml/invalid-record-error.ts";
import { parseName } from "../kml/name.ts";
import type { ConflictNote } from "../kml/operation.ts";
import { OUTCOME_REASONS, outcomeReasonOf } from "../kml/outcome-reason.ts";
import { MAX_XATTR_BYTES } from "../kml/record-layout.ts";
import type { Outcome } from "../reintegrate/outcome.ts";
import type {
  Entry,
  ExtendedAttribute,
  ObjectKind,
  TreeObject,
  Version,
} from "../replay/tree-object.ts";

/** Bytes of what snapshot rows are made of; layout in `docs/protocol.md`. */

const KINDS = ["file", "directory", "symlink", "special"] as const satisfies readonly ObjectKind[];
const VERDICTS = [
  "applied",
  "merged",
  "copied",
  "refused",
] as const satisfies readonly Outcome["verdict"][];

export function writeObject(w: ByteWriter, object: TreeObject): void {
  w.hex(object.oid, 16, "oid");
  w.u8(KINDS.indexOf(object.kind), "kind");
  w.hex(object.creator, 16, "creator");
  w.u32(object.mode, "mode");
  w.u32(object.uid, "uid");
  w.u32(object.gid, "gid");
  writeVersion(w, object.attributesVersion);
  w.u53(object.sizeBytes, "size");
  w.i64(object.mtimeNs, "mtime");
  writeHash(w, object.sha256);
  writeVersion(w, object.contentVersion);
  w.text32(object.target);
  w.u53(object.rdev, "rdev");
  w.u32(object.xattrs.size, "count of extended attributes");
  for (const [name, { value, version }] of object.xattrs) {
    w.text8(name, "extended attribute");
    writeVersion(w, version);
    w.u32(value.length, "length of an extended attribute");
    w.raw(value);
  }
  writeConflict(w, object.conflict);
}

export function readObject(r: ByteReader): TreeObject {
  return {
    oid: r.id() as Oid,
    kind: readMember(r, KINDS, "kind of object"),
    creator: r.id() as PeerId,
    mode: r.u32(),
    uid: r.u32(),
    gid: r.u32(),
    attributesVersion: readRecno(r),
    sizeBytes: r.u53("size"),
    mtimeNs: r.i64(),
    sha256: readHash(r),
    contentVersion: readRecno(r),
    target: r.text32(),
    rdev: r.u53("rdev"),
    xattrs: readXattrs(r),
    conflict: readConflict(r),
  };
}

export function writeEntry(w: ByteWriter, entry: Entry): void {
  w.hex(entry.parent, 16, "parent");
  w.text8(parseName(entry.name), "name");
  w.hex(entry.oid, 16, "oid");
  writeVersion(w, entry.version);
}

export function readEntry(r: ByteReader): Entry {
  const parent = r.id() as Oid;
  return { parent, name: parseName(r.text8()), oid: r.id() as Oid, version: readRecno(r) };
}

export function writeOutcome(w: ByteWriter, outcome: Outcome): void {
  w.u8(VERDICTS.indexOf(outcome.verdict), "verdict");
  w.u16(outcome.reason === null ? 0 : OUTCOME_REASONS[outcome.reason], "reason");
  w.u53(outcome.trace, "trace");
  w.hex(outcome.check, 8, "check");
  w.hex(outcome.oid, 16, "oid");
  w.u53(outcome.nameVersion, "version of the name");
  w.u53(outcome.contentVersion, "version of the content");
  w.u53(outcome.attributesVersion, "version of the attributes");
}

export function readOutcome(r: ByteReader): Outcome {
  const verdict = readMember(r, VERDICTS, "verdict");
  const number = r.u16();
  const reason = number === 0 ? null : outcomeReasonOf(number);
  if (reason === undefined) throw new ByteFormatError(`reason ${number} is not known`);
  return {
    verdict,
    reason,
    trace: readRecno(r),
    check: r.check(),
    oid: r.id() as Oid,
    nameVersion: readRecno(r),
    contentVersion: readRecno(r),
    attributesVersion: readRecno(r),
  };
}

export function readRecno(r: ByteReader): Recno {
  return r.u53("recno") as Recno;
}

/** A version of an authoritative state: always a server's recno. */
export function writeVersion(w: ByteWriter, version: Version): void {
  if (typeof version !== "number") {
    throw new InvalidRecordError(
      `version ${version.recno} is of a record that is not acknowledged`,
    );
  }
  w.u53(version, "version");
}

function writeHash(w: ByteWriter, sha256: Sha256 | null): void {
  w.u8(sha256 === null ? 0 : 1, "presence of a hash");
  if (sha256 !== null) w.hex(sha256, 32, "sha256");
}

function readHash(r: ByteReader): Sha256 | null {
  return readPresence(r) ? (r.hash() as Sha256) : null;
}

function writeConflict(w: ByteWriter, conflict: ConflictNote | null): void {
  w.u8(conflict === null ? 0 : 1, "presence of a conflict");
  if (conflict === null) return;
  w.hex(conflict.of, 16, "oid of a conflict");
  w.u53(conflict.base, "base of a conflict");
  writeHash(w, conflict.ours);
  writeHash(w, conflict.theirs);
}

function readConflict(r: ByteReader): ConflictNote | null {
  if (!readPresence(r)) return null;
  return { of: r.id() as Oid, base: readRecno(r), ours: readHash(r), theirs: readHash(r) };
}

function readXattrs(r: ByteReader): Map<string, ExtendedAttribute> {
  const count = r.u32();
  const xattrs = new Map<string, ExtendedAttribute>();
  for (let index = 0; index < count; index += 1) {
    const name = r.text8();
    const version = readRecno(r);
    const length = r.u32();
    if (length > MAX_XATTR_BYTES) {
      throw new ByteFormatError(`an extended attribute has ${length} bytes`);
    }
    if (xattrs.has(name)) throw new ByteFormatError(`${JSON.stringify(name)} is there twice`);
    xattrs.set(name, { value: r.raw(length), version });
  }
  return xattrs;
}

function readPresence(r: ByteReader): boolean {
  const byte = r.u8();
  if (byte > 1) throw new ByteFormatError(`${byte} is neither 0 nor 1`);
  return byte === 1;
}

function readMember<T>(r: ByteReader, members: readonly T[], what: string): T {
  const index = r.u8();
  const member = members[index];
  if (member === undefined) throw new ByteFormatError(`${what} ${index} is not known`);
  return member;
}
