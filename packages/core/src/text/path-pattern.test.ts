import { expect, test } from "vitest";

import { compilePattern, InvalidPatternError } from "./path-pattern.ts";

test.each([
  { pattern: "*.pdf", path: "/a/b/x.pdf", matches: true },
  { pattern: "*.pdf", path: "/a/b/x.pdf.txt", matches: false },
  { pattern: "a.c", path: "/abc", matches: false },
  { pattern: "docs", path: "/src/docs", matches: true },
  { pattern: "/docs", path: "/src/docs", matches: false },
  { pattern: "src/docs", path: "/src/docs", matches: true },
  { pattern: "src/docs", path: "/old/src/docs", matches: false },
  { pattern: "/src/*/main.?", path: "/src/one/main.c", matches: true },
  { pattern: "/src/*/main.?", path: "/src/one/two/main.c", matches: false },
  { pattern: "/src/**/main.c", path: "/src/one/two/main.c", matches: true },
  { pattern: "/src/**/main.c", path: "/src/main.c", matches: true },
  { pattern: "a(b)+[c]", path: "/a(b)+[c]", matches: true },
  { pattern: "/ünï*", path: "/ünïcode", matches: true },
  { pattern: "/", path: "/", matches: true },
  { pattern: "/", path: "/a", matches: false },
])("compilePattern($pattern) of $path: $matches", ({ pattern, path, matches }) => {
  expect(compilePattern(pattern)(path, false)).toBe(matches);
});

test("compilePattern() takes a slash at the end for a directory", () => {
  const matches = compilePattern("build/");
  expect(matches("/a/build", true)).toBe(true);
  expect(matches("/a/build", false)).toBe(false);
});

test.each(["a//b", "../a", "/a/./b", "//"])("compilePattern() refuses %j", (pattern) => {
  expect(() => compilePattern(pattern)).toThrow(InvalidPatternError);
});
