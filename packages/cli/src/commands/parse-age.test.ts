import { expect, test } from "vitest";

import { parseAge } from "./parse-age.ts";

test.each([
  ["90s", 90_000],
  ["30min", 1_800_000],
  ["1.5h", 5_400_000],
  ["7d", 604_800_000],
  ["0s", 0],
])("parseAge(%j) is %d ms", (text, ms) => {
  expect(parseAge(text)).toBe(ms);
});

test.each(["7", "d", "-1d", "7 weeks", "1e3s", "7constructor"])("parseAge() refuses %j", (text) => {
  expect(() => parseAge(text)).toThrow("An age is a number with a unit");
});
