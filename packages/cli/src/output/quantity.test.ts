import { expect, test } from "vitest";

import { formatMs } from "./quantity.ts";

test.each([
  [0.85, "850 us"],
  [12.34, "12.3 ms"],
  [420.4, "420 ms"],
  [4211, "4.21 s"],
])("formatMs(%d) is %s", (ms, text) => {
  expect(formatMs(ms)).toBe(text);
});
