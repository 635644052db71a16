import type { Oid, PeerId, Recno, Sha256 } from "@izo/core";
import fc from "fast-check";
import { expect, test } from "vitest";

import { formatMark, type Holding, type ObjectMark, parseMark } from "./object-mark.ts";

const digits = (bytes: number) =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((array) => Buffer.from(array).toString("hex"));

const recno = fc.nat().map((number) => number as Recno);
// Zeros stand for "the server's": no peer has them.
const peer = digits(16)
  .filter((text) => /[1-9a-f]/.test(text))
  .map((text) => text as PeerId);

const holding: fc.Arbitrary<Holding> = fc.oneof(
  fc.constantFrom<Holding>({ state: "absent" }, { state: "whole" }),
  digits(32).map((text): Holding => ({ state: "content", sha256: text as Sha256 })),
  fc
    .tuple(fc.oneof(recno, fc.record({ peer, recno })), fc.boolean())
    .map(([base, isSynced]): Holding => {
      return isSynced ? { state: "local", base, isSynced } : { state: "local", base };
    }),
);

const mark: fc.Arbitrary<ObjectMark> = fc.record({
  oid: digits(16).map((text) => text as Oid),
  holding,
});

test("[C4] parseMark() gives back what formatMark() was given, in at most 49 bytes", () => {
  fc.assert(
    fc.property(mark, (given) => {
      const bytes = formatMark(given);
      expect(bytes.length).toBeLessThanOrEqual(49);
      expect(parseMark(bytes)).toEqual(given);
    }),
  );
});

test("[C4] parseMark() knows nothing of a mark that is cut or of another form", () => {
  fc.assert(
    fc.property(mark, fc.nat({ max: 48 }), (given, length) => {
      const bytes = formatMark(given);
      fc.pre(length < bytes.length && length !== 17);
      expect(parseMark(bytes.subarray(0, length))).toBeUndefined();
    }),
  );
  expect(parseMark(Buffer.alloc(17, 0xff))).toBeUndefined();
});
