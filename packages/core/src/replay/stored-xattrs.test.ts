import { expect, test } from "vitest";

import type { PeerId, Recno } from "../kml/identity.ts";
import { readStoredXattrs, writeStoredXattrs } from "./stored-xattrs.ts";

const version = 41 as Recno;
const xattrs = new Map([
  ["user.empty", { value: new Uint8Array(), version }],
  ["user.all bytes", { value: Uint8Array.from({ length: 256 }, (_, byte) => byte), version }],
]);

test("readStoredXattrs() gives back what writeStoredXattrs() was given", () => {
  expect(readStoredXattrs(writeStoredXattrs(xattrs))).toEqual(xattrs);
});

test("writeStoredXattrs() writes what indexes on disk hold", () => {
  const one = new Map([["user.a", { value: Uint8Array.of(0xff, 0), version }]]);
  expect(writeStoredXattrs(one)).toBe('[["user.a","/wA=",41]]');
});

test("writeStoredXattrs() refuses a version that is no record of the server", () => {
  const own = { peer: "a".repeat(32) as PeerId, recno: version };
  const one = new Map([["user.a", { value: new Uint8Array(), version: own }]]);
  expect(() => writeStoredXattrs(one)).toThrow("it is no record of the server");
});
