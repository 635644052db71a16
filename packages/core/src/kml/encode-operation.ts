import type { ByteWriter } from "./byte-writer.ts";
import { InvalidRecordError } from "./invalid-record-error.ts";
import { parseName } from "./name.ts";
import { OPCODES, type Opcode } from "./opcode.ts";
import type { Base, ConflictNote, Operation } from "./operation.ts";
import { OUTCOME_REASONS } from "./outcome-reason.ts";
import { parsePath } from "./path.ts";
import { MAX_XATTR_BYTES } from "./record-layout.ts";

type Body<K extends Opcode> = Extract<Operation, { opcode: K }>;

/** Stands for "no operation" where the opcode of a SENT record's operation is expected. */
export const NO_OPERATION = 0xffff;

/** Writes the body of an operation, without its opcode. @throws InvalidRecordError */
export function encodeOperation(w: ByteWriter, operation: Operation): void {
  switch (operation.opcode) {
    case "NOOP":
      return;
    case "CREATE":
    case "MKDIR":
      return writeNewObject(w, operation);
    case "SYMLINK":
      writeNewObject(w, operation);
      return writeTarget(w, operation.target);
    case "MKNOD":
      writeNewObject(w, operation);
      return w.u53(operation.rdev, "rdev");
    case "LINK":
      return writeNewEntry(w, operation);
    case "UNLINK":
      writeOldEntry(w, operation);
      writeBase(w, operation.contentBase);
      return w.u8(operation.isLastName ? 1 : 0, "unlink flags");
    case "RMDIR":
      return writeOldEntry(w, operation);
    case "CLOSE":
      return writeClose(w, operation);
    case "RENAME":
      return writeRename(w, operation);
    case "SETATTR":
      return writeSetattr(w, operation);
    case "SETEXTATTR":
      return writeSetextattr(w, operation);
    case "DELEXTATTR":
      w.hex(operation.oid, 16, "oid");
      writeBase(w, operation.base);
      writeAttributeName(w, operation.attribute);
      return writePath(w, operation.path);
    case "OUTCOME":
      return writeOutcome(w, operation);
    case "ALIAS":
      w.hex(operation.alias, 16, "alias");
      return w.hex(operation.oid, 16, "oid");
    case "TRUNCATED":
      return w.u53(operation.oldestRecno, "oldest recno");
    case "SEALED":
      w.u53(operation.recno, "sealed recno");
      w.u53(operation.sizeBytes, "size");
      w.i64(operation.mtimeNs, "mtime");
      return w.hex(operation.sha256, 32, "sha256");
    case "CANCELLED":
      return w.u53(operation.recno, "cancelled recno");
    case "SENT":
      return writeSent(w, operation);
  }
}

function writeNewEntry(
  w: ByteWriter,
  entry: Pick<Body<"LINK">, "oid" | "parent" | "name" | "path" | "conflict">,
): void {
  w.hex(entry.oid, 16, "oid");
  w.hex(entry.parent, 16, "parent");
  writeName(w, entry.name);
  writePath(w, entry.path);
  writeConflict(w, entry.conflict);
}

function writeNewObject(
  w: ByteWriter,
  object: Body<"CREATE" | "MKDIR" | "SYMLINK" | "MKNOD">,
): void {
  w.u32(object.mode, "mode");
  w.u32(object.uid, "uid");
  w.u32(object.gid, "gid");
  w.i64(object.mtimeNs, "mtime");
  writeNewEntry(w, object);
}

function writeOldEntry(w: ByteWriter, entry: Body<"UNLINK" | "RMDIR">): void {
  w.hex(entry.oid, 16, "oid");
  w.hex(entry.parent, 16, "parent");
  writeBase(w, entry.nameBase);
  writeName(w, entry.name);
  writePath(w, entry.path);
}

function writeClose(w: ByteWriter, close: Body<"CLOSE">): void {
  w.hex(close.oid, 16, "oid");
  w.u53(close.sizeBytes, "size");
  w.i64(close.mtimeNs, "mtime");
  writeOptionalHash(w, close.sha256);
  writeBase(w, close.contentBase);
  writePath(w, close.path);
  writeConflict(w, close.conflict);
}

function writeRename(w: ByteWriter, rename: Body<"RENAME">): void {
  w.hex(rename.oid, 16, "oid");
  w.hex(rename.fromParent, 16, "source parent");
  w.hex(rename.toParent, 16, "target parent");
  const { victim } = rename;
  w.u8(
    (rename.keepsOid ? 1 : 0) | (victim === null ? 0 : 2) | (victim?.isLastName ? 4 : 0),
    "rename flags",
  );
  if (victim !== null) {
    w.hex(victim.oid, 16, "victim");
    writeBase(w, victim.contentBase);
  }
  writeBase(w, rename.contentBase);
  writeBase(w, rename.fromBase);
  writeName(w, rename.fromName);
  writePath(w, rename.fromPath);
  writeName(w, rename.toName);
  writePath(w, rename.toPath);
  writeConflict(w, rename.conflict);
}

function writeSetattr(w: ByteWriter, { oid, path, attributes, times }: Body<"SETATTR">): void {
  w.hex(oid, 16, "oid");
  w.u8((attributes === null ? 0 : 1) | (times === null ? 0 : 2), "setattr flags");
  if (attributes !== null) {
    writeBase(w, attributes.base);
    w.u32(attributes.mode, "mode");
    w.u32(attributes.uid, "uid");
    w.u32(attributes.gid, "gid");
  }
  if (times !== null) {
    writeBase(w, times.contentBase);
    w.i64(times.mtimeNs, "mtime");
  }
  writePath(w, path);
}

function writeSetextattr(w: ByteWriter, operation: Body<"SETEXTATTR">): void {
  const { value } = operation;
  if (value.length > MAX_XATTR_BYTES) {
    throw new InvalidRecordError(
      `the attribute's value has ${value.length} bytes, more than ${MAX_XATTR_BYTES}`,
    );
  }
  w.hex(operation.oid, 16, "oid");
  writeBase(w, operation.base);
  writeAttributeName(w, operation.attribute);
  writePath(w, operation.path);
  w.u32(value.length, "value length");
  w.raw(value);
}

function writeOutcome(w: ByteWriter, outcome: Body<"OUTCOME">): void {
  w.u8(outcome.verdict === "merged" ? 1 : 2, "verdict");
  w.u8(OUTCOME_REASONS[outcome.reason], "reason");
  w.hex(outcome.oid, 16, "oid");
  w.u53(outcome.nameVersion, "name version");
  w.u53(outcome.contentVersion, "content version");
  w.u53(outcome.attributesVersion, "attributes version");
  writePath(w, outcome.path);
}

function writeSent(w: ByteWriter, { covers, operation }: Body<"SENT">): void {
  w.u32(covers.length, "count of covered records");
  for (const recno of covers) w.u53(recno, "covered recno");
  w.u16(operation === null ? NO_OPERATION : OPCODES[operation.opcode], "opcode");
  if (operation !== null) encodeOperation(w, operation);
}

/** Tag 0: a server recno. Tag 1: the author's own record. */
function writeBase(w: ByteWriter, base: Base): void {
  if (typeof base === "number") {
    w.u8(0, "base tag");
    w.u53(base, "base");
  } else {
    w.u8(1, "base tag");
    w.hex(base.peer, 16, "base peer");
    w.u53(base.recno, "base");
  }
}

/** One byte of flags (1 present, 2 ours, 4 theirs), then what they announce. */
function writeConflict(w: ByteWriter, conflict: ConflictNote | null): void {
  if (conflict === null) return w.u8(0, "conflict flags");
  const { ours, theirs } = conflict;
  w.u8(1 | (ours === null ? 0 : 2) | (theirs === null ? 0 : 4), "conflict flags");
  w.hex(conflict.of, 16, "conflict oid");
  w.u53(conflict.base, "conflict base");
  if (ours !== null) w.hex(ours, 32, "sha256");
  if (theirs !== null) w.hex(theirs, 32, "sha256");
}

function writeOptionalHash(w: ByteWriter, sha256: string | null): void {
  w.u8(sha256 === null ? 0 : 1, "hash flag");
  if (sha256 !== null) w.hex(sha256, 32, "sha256");
}

function writeName(w: ByteWriter, name: string): void {
  w.text8(parseName(name), "name");
}

function writePath(w: ByteWriter, path: string): void {
  w.text32(parsePath(path));
}

function writeTarget(w: ByteWriter, target: string): void {
  if (target.includes("\0")) throw new InvalidRecordError("the link's target holds a NUL byte");
  w.text32(target);
}

function writeAttributeName(w: ByteWriter, attribute: string): void {
  if (attribute === "" || attribute.includes("\0")) {
    throw new InvalidRecordError(`an attribute cannot have the name ${JSON.stringify(attribute)}`);
  }
  w.text8(attribute, "attribute name");
}
