import { describe, expect, test } from "vitest";

import type { Sha256 } from "../kml/identity.ts";
import {
  parseContentsHeader,
  parsePollWithContents,
  writeContentsHeader,
  writePollWithContents,
} from "./poll-contents-message.ts";

const records = Uint8Array.of(1, 2, 3);
const contents = [
  { sha256: "ab".repeat(32) as Sha256, bytes: Uint8Array.of(9, 8) },
  { sha256: "cd".repeat(32) as Sha256, bytes: new Uint8Array() },
];

describe("parsePollWithContents()", () => {
  test("gives records and contents as they were written", () => {
    const message = { records, contents };
    expect(parsePollWithContents(writePollWithContents(message))).toEqual(message);
    const empty = { records: new Uint8Array(), contents: [] };
    expect(parsePollWithContents(writePollWithContents(empty))).toEqual(empty);
  });

  test("refuses a body that was cut off anywhere", () => {
    const body = writePollWithContents({ records, contents });
    for (let length = 0; length < body.length; length += 1) {
      expect(() => parsePollWithContents(body.subarray(0, length))).toThrow(
        "Cannot read the answer to a poll with contents",
      );
    }
  });

  test("refuses frames in another order, and more or fewer contents than it says", () => {
    const body = writePollWithContents({ records, contents });
    const end = body.subarray(-9);
    expect(() => parsePollWithContents(end)).toThrow("it has no records");
    const short = new Uint8Array([...body.subarray(0, 8), ...end]);
    expect(() => parsePollWithContents(short)).toThrow("not as many as it says");
    const twice = new Uint8Array([...body.subarray(0, 8), ...body]);
    expect(() => parsePollWithContents(twice)).toThrow("frames of type 3 are not known here");
  });
});

test("parseContentsHeader() reads what was written, as far as contents travel so, and else 0", () => {
  expect(parseContentsHeader(writeContentsHeader(4096))).toBe(4096);
  expect(parseContentsHeader("999999999")).toBe(64 * 1024);
  for (const value of [null, "", "-1", "1e3", "many"]) expect(parseContentsHeader(value)).toBe(0);
});
