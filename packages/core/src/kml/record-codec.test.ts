import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  arbitraryOperations,
  arbitraryRecord,
  arbitraryRecordOf,
} from "../testing/arbitrary-record.ts";
import { crc32c } from "./crc32c.ts";
import { decodeRecord } from "./decode-record.ts";
import { encodeRecord } from "./encode-record.ts";
import type { Oid, PeerId, Recno } from "./identity.ts";
import { InvalidRecordError } from "./invalid-record-error.ts";
import { KmlDamageError, KmlVersionError } from "./kml-damage-error.ts";
import type { Name } from "./name.ts";
import { OPCODES, type Opcode } from "./opcode.ts";
import type { Operation } from "./operation.ts";
import { MAX_GROUPS, MAX_XATTR_BYTES } from "./record-layout.ts";
import type { KmlRecord } from "./record.ts";

const record: KmlRecord = {
  recno: 7 as Recno,
  authorTimeNs: 1n,
  logTimeNs: 2n,
  origin: { peer: "01".repeat(16) as PeerId, recno: 3 as Recno, check: "ab".repeat(8) },
  actor: { uid: 0, gid: 0, groups: [], command: "cp" },
  operation: {
    opcode: "RMDIR",
    oid: "02".repeat(16) as Oid,
    parent: "03".repeat(16) as Oid,
    name: "a" as Name,
    path: "/a",
    nameBase: 5 as Recno,
  },
};

/** The record with another body, its length and checksum made right again: what a liar would send. */
function reseal(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(0, bytes.length, true);
  view.setUint32(bytes.length - 4, bytes.length, true);
  view.setUint32(bytes.length - 8, crc32c(bytes, 0, bytes.length - 8), true);
  return bytes;
}

describe("decodeRecord()", () => {
  test.each(Object.keys(OPCODES) as Opcode[])(
    "[D5] gives back what encodeRecord() took: %s",
    (opcode) => {
      const operation = arbitraryOperations[opcode] as fc.Arbitrary<Operation>;
      fc.assert(
        fc.property(arbitraryRecordOf(fc.constant(41 as Recno), operation), (original) => {
          expect(decodeRecord(encodeRecord(original))).toEqual(original);
        }),
      );
    },
  );

  test("[D6] gives what encodes to the same bytes", () => {
    fc.assert(
      fc.property(arbitraryRecord, (original) => {
        const bytes = encodeRecord(original);
        expect(encodeRecord(decodeRecord(bytes))).toEqual(bytes);
      }),
    );
  });

  test("[D4] keeps names that are no UTF-8, and those that start with a byte order mark", () => {
    for (const name of ["\udcff\udc80", "\ufeffname", "é", "名前", "a\nb"]) {
      const named = { ...record, operation: { ...record.operation, name } } as KmlRecord;
      expect(decodeRecord(encodeRecord(named)).operation).toMatchObject({ name });
    }
  });

  test("[D6] finds any single flipped bit", () => {
    const bytes = encodeRecord(record);
    for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeRecord(flipped)).toThrow(KmlDamageError);
    }
  });

  test("[D6] finds that a record is cut off, wherever", () => {
    const bytes = encodeRecord(record);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => decodeRecord(bytes.subarray(0, length))).toThrow(KmlDamageError);
    }
  });

  test("names segment and offset of what it cannot read", () => {
    expect(() => decodeRecord(new Uint8Array(200), 0, { segment: "x.kml", offset: 128 })).toThrow(
      "Cannot read x.kml at offset 128: 0 is no record's length",
    );
  });

  test("says that a format is not known, rather than damaged", () => {
    const bytes = encodeRecord(record);
    bytes[6] = 9;
    expect(() => decodeRecord(reseal(bytes))).toThrow(KmlVersionError);
  });

  test("never trusts a body, whatever its checksum says", () => {
    fc.assert(
      fc.property(arbitraryRecord, fc.nat(), fc.nat({ max: 255 }), (original, where, value) => {
        const bytes = encodeRecord(original);
        bytes[77 + (where % (bytes.length - 85))] = value;
        const changed = reseal(bytes);
        let outcome: unknown;
        try {
          outcome = encodeRecord(decodeRecord(changed));
        } catch (error) {
          outcome = error instanceof KmlDamageError ? changed : error;
        }
        // Refused, or with a meaning that has exactly this form.
        expect(outcome).toEqual(changed);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    { description: "a name that climbs", from: "a", to: "/" },
    { description: "a name with a NUL", from: "a", to: "\0" },
  ])("refuses $description, intact as it is", ({ from, to }) => {
    const bytes = encodeRecord(record);
    const at = bytes.indexOf(from.charCodeAt(0), 77 + 2 + 32 + 9);
    bytes[at] = to.charCodeAt(0);
    expect(() => decodeRecord(reseal(bytes))).toThrow(KmlDamageError);
  });

  test("refuses bytes behind a body that is complete", () => {
    const bytes = encodeRecord(record);
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    expect(() => decodeRecord(reseal(longer))).toThrow("follow the body");
  });
});

describe("encodeRecord()", () => {
  const setextattr = {
    opcode: "SETEXTATTR",
    oid: "02".repeat(16),
    path: "/a",
    attribute: "user.a",
    base: 0,
  };
  test.each([
    { description: "recno 0", change: { recno: 0 } },
    { description: "a recno that is no whole number", change: { recno: 1.5 } },
    { description: "a time that does not fit", change: { authorTimeNs: 2n ** 63n } },
    {
      description: "too many groups",
      change: { actor: { ...record.actor, groups: Array(MAX_GROUPS + 1).fill(0) } },
    },
    {
      description: "a command of 256 bytes",
      change: { actor: { ...record.actor, command: "c".repeat(256) } },
    },
    {
      description: "an id in capitals",
      change: { origin: { ...record.origin, peer: "AB".repeat(16) } },
    },
    {
      description: "an id that is too short",
      change: { origin: { ...record.origin, peer: "ab" } },
    },
    {
      description: "an attribute's value that is too long",
      change: { operation: { ...setextattr, value: new Uint8Array(MAX_XATTR_BYTES + 1) } },
    },
    {
      description: "a record over 1 MiB",
      change: { operation: { ...record.operation, path: `/${"a".repeat(1 << 20)}` } },
    },
  ])("refuses $description", ({ change }) => {
    expect(() => encodeRecord({ ...record, ...change } as KmlRecord)).toThrow(InvalidRecordError);
  });

  test.each(["a/b", "", ".", "..", "a\0", "\ud800", "\udcc3\udca9", "a".repeat(256)])(
    "refuses the name %j",
    (name) => {
      const named = { ...record, operation: { ...record.operation, name } } as KmlRecord;
      expect(() => encodeRecord(named)).toThrow(expect.objectContaining({ code: "invalid-name" }));
    },
  );

  test.each(["", "a", "/a/../b", "/..", "/a//b", "/a/", "/./a", "/a\0"])(
    "refuses the path %j",
    (path) => {
      const placed = { ...record, operation: { ...record.operation, path } } as KmlRecord;
      expect(() => encodeRecord(placed)).toThrow(expect.objectContaining({ code: "invalid-path" }));
    },
  );
});

test("crc32c() agrees with RFC 3720, appendix B.4", () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e);
  expect(crc32c(new TextEncoder().encode("xx123456789x"), 2, 11)).toBe(0xe3069283);
});
