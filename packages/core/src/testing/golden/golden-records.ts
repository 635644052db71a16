import type { Oid, PeerId, Recno, Sha256 } from "../../kml/identity.ts";
import { bytesToText, parseName } from "../../kml/name.ts";
import type { Opcode } from "../../kml/opcode.ts";
import type { Operation } from "../../kml/operation.ts";
import type { KmlRecord } from "../../kml/record.ts";

// What the golden files hold: one record of each opcode, with every optional part somewhere present
// and somewhere absent. Never changed for one version of the format.

const oid = (digit: string): Oid => digit.repeat(32) as Oid;
const sha256 = (digit: string): Sha256 => digit.repeat(64) as Sha256;
const author = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf" as PeerId;
const mtimeNs = 1_000_000_000_123_456_789n;

/** "café" as Latin-1: a name that is no UTF-8. */
const latin1 = parseName(bytesToText(Uint8Array.of(0x63, 0x61, 0x66, 0xe9)));

const newEntry = {
  oid: oid("1"),
  parent: oid("2"),
  name: parseName("übung.txt"),
  path: "/docs/übung.txt",
  conflict: null,
};
const newObject = { ...newEntry, mode: 0o644, uid: 1000, gid: 100, mtimeNs };
const oldEntry = {
  oid: oid("1"),
  parent: oid("2"),
  name: latin1,
  path: `/docs/${latin1}`,
  nameBase: 40 as Recno,
};

const operations: { readonly [Key in Opcode]: Extract<Operation, { opcode: Key }> } = {
  NOOP: { opcode: "NOOP" },
  CREATE: { opcode: "CREATE", ...newObject },
  MKDIR: { opcode: "MKDIR", ...newObject, mode: 0o2775 },
  UNLINK: {
    opcode: "UNLINK",
    ...oldEntry,
    contentBase: { peer: author, recno: 6 as Recno },
    isLastName: true,
  },
  RMDIR: { opcode: "RMDIR", ...oldEntry },
  CLOSE: {
    opcode: "CLOSE",
    oid: oid("1"),
    path: "/docs/übung.txt",
    contentBase: { peer: author, recno: 6 as Recno },
    sizeBytes: 2 ** 53 - 1,
    mtimeNs: -1n,
    sha256: sha256("c"),
    conflict: { of: oid("3"), base: 39 as Recno, ours: sha256("d"), theirs: null },
  },
  SYMLINK: { opcode: "SYMLINK", ...newObject, mode: 0o777, target: "../übung" },
  RENAME: {
    opcode: "RENAME",
    oid: oid("1"),
    contentBase: { peer: author, recno: 9 as Recno },
    fromParent: oid("2"),
    fromName: parseName(".tmp"),
    fromPath: "/docs/.tmp",
    fromBase: { peer: author, recno: 8 as Recno },
    toParent: oid("4"),
    toName: parseName("a"),
    toPath: "/b/a",
    victim: { oid: oid("5"), contentBase: 12 as Recno, isLastName: true },
    keepsOid: true,
    conflict: null,
  },
  SETATTR: {
    opcode: "SETATTR",
    oid: oid("1"),
    path: "/",
    attributes: { base: 0 as Recno, mode: 0o600, uid: 0, gid: 4_294_967_294 },
    times: { contentBase: 13 as Recno, mtimeNs },
  },
  LINK: {
    opcode: "LINK",
    ...newEntry,
    conflict: { of: oid("3"), base: 0 as Recno, ours: null, theirs: sha256("e") },
  },
  MKNOD: { opcode: "MKNOD", ...newObject, mode: 0o020660, rdev: 0x0501 },
  SETEXTATTR: {
    opcode: "SETEXTATTR",
    oid: oid("1"),
    path: "/a",
    attribute: "user.colour",
    value: Uint8Array.of(0, 255, 10),
    base: 14 as Recno,
  },
  DELEXTATTR: {
    opcode: "DELEXTATTR",
    oid: oid("1"),
    path: "/a",
    attribute: "user.colour",
    base: 15 as Recno,
  },
  OUTCOME: {
    opcode: "OUTCOME",
    verdict: "refused",
    reason: "edited-since",
    oid: oid("1"),
    path: "/a",
    nameVersion: 1 as Recno,
    contentVersion: 2 as Recno,
    attributesVersion: 3 as Recno,
  },
  ALIAS: { opcode: "ALIAS", alias: oid("6"), oid: oid("1") },
  TRUNCATED: { opcode: "TRUNCATED", oldestRecno: 11 as Recno },
  SEALED: { opcode: "SEALED", recno: 6 as Recno, sizeBytes: 5, mtimeNs, sha256: sha256("f") },
  CANCELLED: { opcode: "CANCELLED", recno: 7 as Recno },
  SENT: {
    opcode: "SENT",
    covers: [5, 6] as Recno[],
    operation: {
      opcode: "CLOSE",
      oid: oid("1"),
      path: "/a",
      contentBase: 4 as Recno,
      sizeBytes: 0,
      mtimeNs: 0n,
      sha256: null,
      conflict: null,
    },
  },
};

/** The records, numbered from 1. */
export const goldenRecords: readonly KmlRecord[] = Object.values(operations).map(
  (operation, index) => ({
    recno: (index + 1) as Recno,
    authorTimeNs: mtimeNs + BigInt(index),
    logTimeNs: mtimeNs + 1000n * BigInt(index),
    origin: { peer: author, recno: (100 + index) as Recno, check: "0123456789abcdef" },
    actor: { uid: 1000, gid: 100, groups: index % 2 === 0 ? [4, 1000] : [], command: "vim" },
    operation,
  }),
);

/** What the golden segment's header holds. */
export const goldenLog = {
  fileset: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
  peer: "b0b1b2b3b4b5b6b7b8b9babbbcbdbebf",
} as const;
