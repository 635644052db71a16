import { ByteFormatError, type ByteReader } from "./byte-reader.ts";
import { NO_OPERATION } from "./encode-operation.ts";
import type { Oid, PeerId, Recno, Sha256 } from "./identity.ts";
import { parseName, type Name } from "./name.ts";
import { OPCODES, opcodeOf, type Opcode } from "./opcode.ts";
import type { Base, ConflictNote, Operation, ReplicatedOperation } from "./operation.ts";
import { outcomeReasonOf } from "./outcome-reason.ts";
import { parsePath } from "./path.ts";
import { MAX_XATTR_BYTES } from "./record-layout.ts";

type Body<K extends Opcode> = Extract<Operation, { opcode: K }>;

/**
 * Reads the body of an operation. The reader must end where the body ends.
 *
 * @throws ByteFormatError when a field has a value that the format does not allow.
 * @throws InvalidNameError, InvalidPathError when a name or a path is not safe to use.
 */
export function decodeOperation(r: ByteReader, number: number): Operation {
  const opcode = opcodeOf(number);
  switch (opcode) {
    case undefined:
      throw new ByteFormatError(`there is no opcode ${number}`);
    case "NOOP":
      return { opcode };
    case "CREATE":
    case "MKDIR":
      return readNewObject(r, opcode);
    case "SYMLINK":
      return { ...readNewObject(r, opcode), target: readTarget(r) };
    case "MKNOD":
      return { ...readNewObject(r, opcode), rdev: r.u53("rdev") };
    case "LINK":
      return readLink(r);
    case "UNLINK":
      return {
        ...readOldEntry(r, opcode),
        contentBase: readBase(r),
        isLastName: readFlags(r, 1, "unlink flags") === 1,
      };
    case "RMDIR":
      return readOldEntry(r, opcode);
    case "CLOSE":
      return readClose(r);
    case "RENAME":
      return readRename(r);
    case "SETATTR":
      return readSetattr(r);
    case "SETEXTATTR":
      return readSetextattr(r);
    case "DELEXTATTR":
      return readDelextattr(r);
    case "OUTCOME":
      return readOutcome(r);
    case "ALIAS":
      return { opcode, alias: r.id() as Oid, oid: r.id() as Oid };
    case "TRUNCATED":
      return { opcode, oldestRecno: r.u53("oldest recno") as Recno };
    case "SEALED":
      return {
        opcode,
        recno: r.u53("sealed recno") as Recno,
        sizeBytes: r.u53("size"),
        mtimeNs: r.i64(),
        sha256: r.hash() as Sha256,
      };
    case "CANCELLED":
      return { opcode, recno: r.u53("cancelled recno") as Recno };
    case "SENT":
      return readSent(r);
  }
}

function readNewObject<K extends "CREATE" | "MKDIR" | "SYMLINK" | "MKNOD">(
  r: ByteReader,
  opcode: K,
) {
  const mode = r.u32();
  const uid = r.u32();
  const gid = r.u32();
  const mtimeNs = r.i64();
  return {
    opcode,
    oid: r.id() as Oid,
    parent: r.id() as Oid,
    name: readName(r),
    path: readPath(r),
    conflict: readConflict(r),
    mode,
    uid,
    gid,
    mtimeNs,
  };
}

function readLink(r: ByteReader): Body<"LINK"> {
  return {
    opcode: "LINK",
    oid: r.id() as Oid,
    parent: r.id() as Oid,
    name: readName(r),
    path: readPath(r),
    conflict: readConflict(r),
  };
}

function readOldEntry<K extends "UNLINK" | "RMDIR">(r: ByteReader, opcode: K) {
  return {
    opcode,
    oid: r.id() as Oid,
    parent: r.id() as Oid,
    nameBase: readBase(r),
    name: readName(r),
    path: readPath(r),
  };
}

function readClose(r: ByteReader): Body<"CLOSE"> {
  return {
    opcode: "CLOSE",
    oid: r.id() as Oid,
    sizeBytes: r.u53("size"),
    mtimeNs: r.i64(),
    sha256: readFlags(r, 1, "hash flag") === 1 ? (r.hash() as Sha256) : null,
    contentBase: readBase(r),
    path: readPath(r),
    conflict: readConflict(r),
  };
}

function readRename(r: ByteReader): Body<"RENAME"> {
  const oid = r.id() as Oid;
  const fromParent = r.id() as Oid;
  const toParent = r.id() as Oid;
  const flags = readFlags(r, 7, "rename flags");
  if ((flags & 6) === 4) throw new ByteFormatError(`rename flags ${flags} announce no victim`);
  return {
    opcode: "RENAME",
    oid,
    fromParent,
    toParent,
    keepsOid: (flags & 1) !== 0,
    victim:
      (flags & 2) === 0
        ? null
        : { oid: r.id() as Oid, contentBase: readBase(r), isLastName: (flags & 4) !== 0 },
    contentBase: readBase(r),
    fromBase: readBase(r),
    fromName: readName(r),
    fromPath: readPath(r),
    toName: readName(r),
    toPath: readPath(r),
    conflict: readConflict(r),
  };
}

function readSetattr(r: ByteReader): Body<"SETATTR"> {
  const oid = r.id() as Oid;
  const flags = readFlags(r, 3, "setattr flags");
  return {
    opcode: "SETATTR",
    oid,
    attributes:
      (flags & 1) === 0 ? null : { base: readBase(r), mode: r.u32(), uid: r.u32(), gid: r.u32() },
    times: (flags & 2) === 0 ? null : { contentBase: readBase(r), mtimeNs: r.i64() },
    path: readPath(r),
  };
}

function readSetextattr(r: ByteReader): Body<"SETEXTATTR"> {
  const oid = r.id() as Oid;
  const base = readBase(r);
  const attribute = readAttributeName(r);
  const path = readPath(r);
  const length = r.u32();
  if (length > MAX_XATTR_BYTES) {
    throw new ByteFormatError(`a value of ${length} bytes is over ${MAX_XATTR_BYTES}`);
  }
  return { opcode: "SETEXTATTR", oid, path, attribute, value: r.raw(length), base };
}

function readDelextattr(r: ByteReader): Body<"DELEXTATTR"> {
  return {
    opcode: "DELEXTATTR",
    oid: r.id() as Oid,
    base: readBase(r),
    attribute: readAttributeName(r),
    path: readPath(r),
  };
}

function readOutcome(r: ByteReader): Body<"OUTCOME"> {
  const verdict = r.u8();
  if (verdict !== 1 && verdict !== 2) throw new ByteFormatError(`there is no verdict ${verdict}`);
  const number = r.u8();
  const reason = outcomeReasonOf(number);
  if (reason === undefined) throw new ByteFormatError(`there is no reason ${number}`);
  return {
    opcode: "OUTCOME",
    verdict: verdict === 1 ? "merged" : "refused",
    reason,
    oid: r.id() as Oid,
    nameVersion: r.u53("name version") as Recno,
    contentVersion: r.u53("content version") as Recno,
    attributesVersion: r.u53("attributes version") as Recno,
    path: readPath(r),
  };
}

function readSent(r: ByteReader): Body<"SENT"> {
  const count = r.u32();
  // Before anything of this size is made: a hostile count must not cost memory.
  if (count * 8 > r.remaining) throw new ByteFormatError(`it cannot cover ${count} records`);
  const covers: Recno[] = [];
  for (let index = 0; index < count; index += 1) covers.push(r.u53("covered recno") as Recno);
  const number = r.u16();
  if (number === NO_OPERATION) return { opcode: "SENT", covers, operation: null };
  if (number >= OPCODES.SEALED) throw new ByteFormatError(`opcode ${number} cannot be sent`);
  // Below SEALED stand only the operations that can be in the server's log.
  const operation = decodeOperation(r, number) as ReplicatedOperation;
  return { opcode: "SENT", covers, operation };
}

function readBase(r: ByteReader): Base {
  if (readFlags(r, 1, "base tag") === 0) return r.u53("base") as Recno;
  return { peer: r.id() as PeerId, recno: r.u53("base") as Recno };
}

function readConflict(r: ByteReader): ConflictNote | null {
  const flags = readFlags(r, 7, "conflict flags");
  if (flags === 0) return null;
  if ((flags & 1) === 0) throw new ByteFormatError(`conflict flags ${flags} announce no conflict`);
  return {
    of: r.id() as Oid,
    base: r.u53("conflict base") as Recno,
    ours: (flags & 2) === 0 ? null : (r.hash() as Sha256),
    theirs: (flags & 4) === 0 ? null : (r.hash() as Sha256),
  };
}

/** One byte in which only the bits of `known` may be set. */
function readFlags(r: ByteReader, known: number, what: string): number {
  const flags = r.u8();
  if ((flags & ~known) !== 0) throw new ByteFormatError(`${what} ${flags} are not known`);
  return flags;
}

function readName(r: ByteReader): Name {
  return parseName(r.text8());
}

function readPath(r: ByteReader): string {
  return parsePath(r.text32());
}

function readTarget(r: ByteReader): string {
  const target = r.text32();
  if (target.includes("\0")) throw new ByteFormatError("a link's target holds a NUL byte");
  return target;
}

function readAttributeName(r: ByteReader): string {
  const attribute = r.text8();
  if (attribute === "" || attribute.includes("\0")) {
    throw new ByteFormatError("an attribute's name is empty or holds a NUL byte");
  }
  return attribute;
}
