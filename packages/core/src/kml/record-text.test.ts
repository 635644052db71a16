import * as fc from "fast-check";
import { expect, test } from "vitest";

import { arbitraryRecord } from "../testing/arbitrary-record.ts";
import { plainRecord } from "../testing/plain-records.ts";
import { formatRecord } from "./format-record.ts";
import { formatTimeNs } from "./format-time.ts";
import { InvalidRecordJsonError, parseRecordJson, recordToJson } from "./record-json.ts";

test("[D4] parseRecordJson() gives back what recordToJson() took, through text", () => {
  fc.assert(
    fc.property(arbitraryRecord, (record) => {
      expect(parseRecordJson(JSON.parse(JSON.stringify(recordToJson(record))))).toEqual(record);
    }),
  );
});

test.each([
  { description: "nothing", change: null },
  {
    description: "no operation",
    change: { ...recordToJson(plainRecord(1)), operation: undefined },
  },
  {
    description: "an unknown opcode",
    change: { ...recordToJson(plainRecord(1)), operation: { opcode: "LEAP" } },
  },
  {
    description: "a time that is none",
    change: { ...recordToJson(plainRecord(1)), authorTimeNs: "now" },
  },
  {
    description: "a number as a path",
    change: {
      ...recordToJson(plainRecord(1)),
      operation: { ...plainRecord(1).operation, mtimeNs: "0", path: 5 },
    },
  },
  {
    description: "a name that climbs",
    change: {
      ...recordToJson(plainRecord(1)),
      operation: { ...plainRecord(1).operation, mtimeNs: "0", name: ".." },
    },
  },
])("parseRecordJson() refuses $description", ({ change }) => {
  expect(() => parseRecordJson(change)).toThrow(InvalidRecordJsonError);
});

test("formatRecord() is one line on which a terminal has nothing to act, for any record", () => {
  fc.assert(
    fc.property(arbitraryRecord, (record) => {
      expect(formatRecord(record)).toMatch(/^\d+ {2}[^\p{Cc}\p{Cs}]*$/u);
    }),
  );
  const record = plainRecord(3);
  expect(formatRecord(record)).toBe(
    "3  1970-01-01 00:00:03  MKDIR       /dir-3 0755  [uid 1000 mkdir @a0a0a0a0:3]",
  );
  const hostile = { ...record, operation: { ...record.operation, path: "/\u001b[2J\udcff" } };
  expect(formatRecord(hostile as typeof record)).toContain("/\\x1b[2J\\xff 0755");
});

test.each([
  { timeNs: 0n, text: "1970-01-01T00:00:00.000000000Z" },
  { timeNs: -1n, text: "1969-12-31T23:59:59.999999999Z" },
  { timeNs: 1_795_374_926_123_456_789n, text: "2026-11-22T19:15:26.123456789Z" },
  { timeNs: 2n ** 63n - 1n, text: "2262-04-11T23:47:16.854775807Z" },
])("formatTimeNs() writes $text", ({ timeNs, text }) => {
  expect(formatTimeNs(timeNs)).toBe(text);
});
