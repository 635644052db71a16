import { expect, test } from "vitest";

import { formatAge, formatBytes, formatCount } from "./quantity.ts";

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1536, "1.5 KiB"],
  [256 * 1024 * 1024, "256 MiB"],
  [2 ** 60, "1024 PiB"],
])("formatBytes(%d) is %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, "0 s"],
  [59_999, "59 s"],
  [90_000, "1 min"],
  [86_399_999, "23 h"],
  [30 * 86_400_000, "30 d"],
])("formatAge(%d) is %s", (ms, text) => {
  expect(formatAge(ms)).toBe(text);
});

test("formatCount() groups by three", () => {
  expect(formatCount(20_000)).toBe("20,000");
});
