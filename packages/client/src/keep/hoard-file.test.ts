import { expect, test } from "vitest";

import { InvalidHoardError, parseHoardFile } from "./hoard-file.ts";

test("parseHoardFile() reads patterns with and without a priority", () => {
  const text = "# on the road\n\n500 /src/\n*.pdf\n  1   with a space \n";
  expect(parseHoardFile(text)).toEqual([
    { pattern: "/src/", priority: 500 },
    { pattern: "*.pdf", priority: 100 },
    { pattern: "with a space", priority: 1 },
  ]);
});

test.each([
  { text: "/a\n0 /b", line: "line 2" },
  { text: "1001 /b", line: "line 1" },
  { text: "10 /a/../b", line: "line 1" },
])("parseHoardFile() names $line where it cannot be used", ({ text, line }) => {
  expect(() => parseHoardFile(text)).toThrow(InvalidHoardError);
  expect(() => parseHoardFile(text)).toThrow(line);
});
