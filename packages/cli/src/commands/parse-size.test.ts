import { expect, test } from "vitest";

import { parseSize } from "./parse-size.ts";

test.each([
  ["64KiB", 65_536],
  ["512MiB", 536_870_912],
  ["1.5GiB", 1_610_612_736],
  ["0TiB", 0],
])("parseSize(%j) is %d bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(["64", "MiB", "-1MiB", "1MB", "1mib", "1 KiB of it"])(
  "parseSize() refuses %j",
  (text) => {
    expect(() => parseSize(text)).toThrow("A size is a number with a unit");
  },
);
