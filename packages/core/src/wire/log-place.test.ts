import { describe, expect, test } from "vitest";

import type { Recno } from "../kml/identity.ts";
import { type LogPlace, parseLogPlace, writeLogPlace } from "./log-place.ts";

const MS = BigInt(Date.UTC(2026, 0, 2, 3, 4, 5)) * 1_000_000n;

describe("parseLogPlace()", () => {
  test.each<[string, LogPlace]>([
    ["0", { kind: "recno", recno: 0 as Recno }],
    ["41", { kind: "recno", recno: 41 as Recno }],
    ["@2026-01-02T03:04:05Z", { kind: "time", timeNs: MS }],
    ["@2026-01-02T03:04:05.000000001Z", { kind: "time", timeNs: MS + 1n }],
    ["@2026-01-02T03:04:05.5Z", { kind: "time", timeNs: MS + 500_000_000n }],
    ["@2026-01-02T05:04:05+02:00", { kind: "time", timeNs: MS }],
  ])("reads %s", (text, place) => {
    expect(parseLogPlace(text)).toEqual(place);
    expect(parseLogPlace(writeLogPlace(place))).toEqual(place);
  });

  test.each([
    "",
    "-1",
    "1.5",
    "x",
    "@",
    "@41",
    "2026-01-02T03:04:05Z",
    "@2026-01-02T03:04:05",
    "@2026-13-02T03:04:05Z",
  ])("refuses %j, which names no place or not the same everywhere", (text) => {
    expect(() => parseLogPlace(text)).toThrow(/^Cannot read the place/);
  });
});
