import { describe, expect, test } from "vitest";

import { parsePlace, parsePlaceRange } from "./parse-place.ts";

const ns = (date: Date): bigint => BigInt(date.getTime()) * 1_000_000n;

describe("parsePlace()", () => {
  test("reads record numbers, and times here or in a stated zone", () => {
    expect(parsePlace("41")).toEqual({ kind: "recno", recno: 41 });
    const noon = { kind: "time", timeNs: ns(new Date(2026, 0, 2, 12, 30)) };
    expect(parsePlace("@2026-01-02T12:30")).toEqual(noon);
    expect(parsePlace("@2026-01-02 12:30")).toEqual(noon);
    expect(parsePlace("@2026-01-02")).toEqual({
      kind: "time",
      timeNs: ns(new Date(2026, 0, 2)),
    });
    const zoned = { kind: "time", timeNs: ns(new Date(Date.UTC(2026, 0, 2, 12, 30))) };
    expect(parsePlace("@2026-01-02T12:30Z")).toEqual(zoned);
  });

  test("reads an age as a time that long ago", () => {
    const place = parsePlace("@2h") as { timeNs: bigint };
    const ageMs = Date.now() - Number(place.timeNs / 1_000_000n);
    expect(Math.abs(ageMs - 7_200_000)).toBeLessThan(10_000);
  });

  test.each(["", "-1", "x", "@", "@yesterday", "@2026-13-45", "@2parsecs"])(
    "refuses %j",
    (text) => {
      expect(() => parsePlace(text)).toThrow(/^(A place|An age) is /);
    },
  );
});

test("parsePlaceRange() reads both ends, of which the last may be left out", () => {
  expect(parsePlaceRange("4..7")).toEqual({
    from: { kind: "recno", recno: 4 },
    to: { kind: "recno", recno: 7 },
  });
  expect(parsePlaceRange("4..").to).toBeUndefined();
  expect(() => parsePlaceRange("4")).toThrow(/^A range is A\.\.B/);
});
