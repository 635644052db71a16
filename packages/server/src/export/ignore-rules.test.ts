import { InvalidPatternError } from "@izo/core";
import { describe, expect, test } from "vitest";

import { IgnoreRules } from "./ignore-rules.ts";

describe("IgnoreRules", () => {
  test.each([
    { pattern: "*.tmp", path: "/a/b.tmp", isDirectory: false, ignores: true },
    { pattern: "build/", path: "/a/build", isDirectory: true, ignores: true },
    { pattern: "build/", path: "/a/build", isDirectory: false, ignores: false },
    { pattern: "build/", path: "/a/build/deep/in", isDirectory: false, ignores: true },
    { pattern: "/conf/secret", path: "/conf/secret", isDirectory: false, ignores: true },
    { pattern: "/conf/secret", path: "/other/conf/secret", isDirectory: false, ignores: false },
    { pattern: "/a/**/x", path: "/a/b/c/x", isDirectory: false, ignores: true },
  ])("with $pattern: $path ($isDirectory): $ignores", ({ pattern, path, isDirectory, ignores }) => {
    expect(new IgnoreRules([pattern]).ignores(path, isDirectory)).toBe(ignores);
  });

  test.each([
    { pattern: "/conf/deep/secret", path: "/conf", leads: true },
    { pattern: "/conf/deep/secret", path: "/conf/deep", leads: true },
    { pattern: "/conf/deep/secret", path: "/conf/deep/secret", leads: false },
    { pattern: "conf/s*/secret/", path: "/conf/sub", leads: true },
    { pattern: "/secret", path: "/conf", leads: false },
    { pattern: "secret", path: "/conf", leads: false },
    { pattern: "/a/**/x", path: "/a", leads: true },
    { pattern: "/a/**/x", path: "/a/b", leads: false },
  ])("$pattern leads through $path: $leads", ({ pattern, path, leads }) => {
    expect(new IgnoreRules([pattern]).leadsThrough(path)).toBe(leads);
  });

  test("refuses a pattern that no path can match", () => {
    expect(() => new IgnoreRules(["../x"])).toThrow(InvalidPatternError);
  });
});
