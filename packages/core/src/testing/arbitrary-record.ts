import * as fc from "fast-check";

import type { FilesetId, Oid, PeerId, Recno, Sha256 } from "../kml/identity.ts";
import { bytesToText, type Name, NAME_MAX_BYTES } from "../kml/name.ts";
import type { Opcode } from "../kml/opcode.ts";
import type {
  Base,
  ConflictNote,
  Operation,
  OutcomeReason,
  ReplicatedOperation,
} from "../kml/operation.ts";
import { OUTCOME_REASONS } from "../kml/outcome-reason.ts";
import type { KmlRecord } from "../kml/record.ts";

// Everything that the format can hold, for property tests of whatever reads or writes records.

const encoder = new TextEncoder();

const hex = (bytes: number): fc.Arbitrary<string> =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((array) => Array.from(array, (byte) => byte.toString(16).padStart(2, "0")).join(""));

const u32 = fc.nat({ max: 0xffff_ffff });
const timeNs = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const sizeBytes = fc.oneof(fc.nat(), fc.maxSafeNat());

export const arbitraryOid = hex(16) as fc.Arbitrary<Oid>;
export const arbitraryPeerId = hex(16) as fc.Arbitrary<PeerId>;
export const arbitraryFilesetId = hex(16) as fc.Arbitrary<FilesetId>;
export const arbitrarySha256 = hex(32) as fc.Arbitrary<Sha256>;
export const arbitraryRecno = fc.oneof(fc.nat(), fc.maxSafeNat()) as fc.Arbitrary<Recno>;

/** Names of any bytes: readable ones, and ones that are no UTF-8. */
export const arbitraryName: fc.Arbitrary<Name> = fc
  .oneof(
    fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
      .map((text) => encoder.encode(text)),
    fc.uint8Array({ minLength: 1, maxLength: NAME_MAX_BYTES }),
  )
  .map((bytes) => bytes.filter((byte) => byte !== 0 && byte !== 0x2f))
  .filter((bytes) => bytes.length > 0 && bytes.length <= NAME_MAX_BYTES)
  .map(bytesToText)
  .filter((text) => text !== "." && text !== "..") as fc.Arbitrary<Name>;

export const arbitraryPath: fc.Arbitrary<string> = fc
  .array(arbitraryName, { maxLength: 6 })
  .map((names) => `/${names.join("/")}`);

/** Texts without NUL, of any other bytes. */
const freeText = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength }).map((bytes) => bytesToText(bytes.filter((byte) => byte !== 0)));

export const arbitraryBase: fc.Arbitrary<Base> = fc.oneof(
  arbitraryRecno,
  fc.record({ peer: arbitraryPeerId, recno: arbitraryRecno }),
);

const conflict: fc.Arbitrary<ConflictNote | null> = fc.option(
  fc.record({
    of: arbitraryOid,
    base: arbitraryRecno,
    ours: fc.option(arbitrarySha256),
    theirs: fc.option(arbitrarySha256),
  }),
);

const newEntry = {
  oid: arbitraryOid,
  parent: arbitraryOid,
  name: arbitraryName,
  path: arbitraryPath,
  conflict,
};
const newObject = { ...newEntry, mode: u32, uid: u32, gid: u32, mtimeNs: timeNs };
const oldEntry = {
  oid: arbitraryOid,
  parent: arbitraryOid,
  name: arbitraryName,
  path: arbitraryPath,
  nameBase: arbitraryBase,
};
const attribute = freeText(255).filter((text) => text !== "");

/** An arbitrary for each of some opcodes. */
export type ArbitraryBodies<K extends Opcode> = {
  readonly [Key in K]: fc.Arbitrary<Extract<Operation, { opcode: Key }>>;
};

const replicated = {
  NOOP: fc.record({ opcode: fc.constant("NOOP") }),
  CREATE: fc.record({ opcode: fc.constant("CREATE"), ...newObject }),
  MKDIR: fc.record({ opcode: fc.constant("MKDIR"), ...newObject }),
  UNLINK: fc.record({
    opcode: fc.constant("UNLINK"),
    ...oldEntry,
    contentBase: arbitraryBase,
    isLastName: fc.boolean(),
  }),
  RMDIR: fc.record({ opcode: fc.constant("RMDIR"), ...oldEntry }),
  CLOSE: fc.record({
    opcode: fc.constant("CLOSE"),
    oid: arbitraryOid,
    path: arbitraryPath,
    contentBase: arbitraryBase,
    sizeBytes,
    mtimeNs: timeNs,
    sha256: fc.option(arbitrarySha256),
    conflict,
  }),
  SYMLINK: fc.record({ opcode: fc.constant("SYMLINK"), ...newObject, target: freeText(300) }),
  RENAME: fc.record({
    opcode: fc.constant("RENAME"),
    oid: arbitraryOid,
    contentBase: arbitraryBase,
    fromParent: arbitraryOid,
    fromName: arbitraryName,
    fromPath: arbitraryPath,
    fromBase: arbitraryBase,
    toParent: arbitraryOid,
    toName: arbitraryName,
    toPath: arbitraryPath,
    victim: fc.option(
      fc.record({ oid: arbitraryOid, contentBase: arbitraryBase, isLastName: fc.boolean() }),
    ),
    keepsOid: fc.boolean(),
    conflict,
  }),
  SETATTR: fc.record({
    opcode: fc.constant("SETATTR"),
    oid: arbitraryOid,
    path: arbitraryPath,
    attributes: fc.option(fc.record({ base: arbitraryBase, mode: u32, uid: u32, gid: u32 })),
    times: fc.option(fc.record({ contentBase: arbitraryBase, mtimeNs: timeNs })),
  }),
  LINK: fc.record({ opcode: fc.constant("LINK"), ...newEntry }),
  MKNOD: fc.record({ opcode: fc.constant("MKNOD"), ...newObject, rdev: fc.maxSafeNat() }),
  SETEXTATTR: fc.record({
    opcode: fc.constant("SETEXTATTR"),
    oid: arbitraryOid,
    path: arbitraryPath,
    attribute,
    value: fc.uint8Array({ maxLength: 500 }),
    base: arbitraryBase,
  }),
  DELEXTATTR: fc.record({
    opcode: fc.constant("DELEXTATTR"),
    oid: arbitraryOid,
    path: arbitraryPath,
    attribute,
    base: arbitraryBase,
  }),
  OUTCOME: fc.record({
    opcode: fc.constant("OUTCOME"),
    verdict: fc.constantFrom("merged", "refused"),
    reason: fc.constantFrom(...(Object.keys(OUTCOME_REASONS) as OutcomeReason[])),
    oid: arbitraryOid,
    path: arbitraryPath,
    nameVersion: arbitraryRecno,
    contentVersion: arbitraryRecno,
    attributesVersion: arbitraryRecno,
  }),
  ALIAS: fc.record({ opcode: fc.constant("ALIAS"), alias: arbitraryOid, oid: arbitraryOid }),
  TRUNCATED: fc.record({ opcode: fc.constant("TRUNCATED"), oldestRecno: arbitraryRecno }),
} satisfies ArbitraryBodies<ReplicatedOperation["opcode"]>;

/** An operation of the server's log. */
export const arbitraryReplicatedOperation: fc.Arbitrary<ReplicatedOperation> = fc.oneof(
  ...Object.values(replicated),
);

/** Operations by opcode: every one that there is. */
export const arbitraryOperations: ArbitraryBodies<Opcode> = {
  ...replicated,
  SEALED: fc.record({
    opcode: fc.constant("SEALED"),
    recno: arbitraryRecno,
    sizeBytes,
    mtimeNs: timeNs,
    sha256: arbitrarySha256,
  }),
  CANCELLED: fc.record({ opcode: fc.constant("CANCELLED"), recno: arbitraryRecno }),
  SENT: fc.record({
    opcode: fc.constant("SENT"),
    covers: fc.array(arbitraryRecno, { maxLength: 5 }),
    operation: fc.option(arbitraryReplicatedOperation),
  }),
};

/** A record with this recno and one of these operations. */
export function arbitraryRecordOf<Op extends Operation>(
  recno: fc.Arbitrary<Recno>,
  operation: fc.Arbitrary<Op>,
): fc.Arbitrary<KmlRecord<Op>> {
  return fc.record({
    recno,
    authorTimeNs: timeNs,
    logTimeNs: timeNs,
    origin: fc.record({ peer: arbitraryPeerId, recno: arbitraryRecno, check: hex(8) }),
    actor: fc.record({
      uid: u32,
      gid: u32,
      groups: fc.array(u32, { maxLength: 8 }),
      command: freeText(15),
    }),
    operation,
  });
}

/** A record of any log. */
export const arbitraryRecord: fc.Arbitrary<KmlRecord> = arbitraryRecordOf(
  arbitraryRecno.filter((recno) => recno > 0),
  fc.oneof(...Object.values(arbitraryOperations)) as fc.Arbitrary<Operation>,
);

/** Records that follow one another, from `first` on. */
export function arbitraryRecords(
  constraints: { minLength?: number; maxLength?: number },
  first = 1,
): fc.Arbitrary<KmlRecord[]> {
  return fc
    .array(arbitraryRecord, constraints)
    .map((records) =>
      records.map((record, index) => ({ ...record, recno: (first + index) as Recno })),
    );
}
