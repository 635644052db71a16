import { expect, test } from "vitest";

import { formatMode } from "./format-mode.ts";

test.each([
  ["file", 0o644, "-rw-r--r--"],
  ["directory", 0o1777, "drwxrwxrwt"],
  ["symlink", 0o777, "lrwxrwxrwx"],
  ["file", 0o4750, "-rwsr-x---"],
  ["file", 0o2640, "-rw-r-S---"],
  ["special", 0o020_600, "crw-------"],
  ["special", 0o010_644, "prw-r--r--"],
] as const)("formatMode() shows a %s of mode %o as %s", (kind, mode, shown) => {
  expect(formatMode({ kind, mode })).toBe(shown);
});
