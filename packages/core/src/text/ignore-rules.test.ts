import { describe, expect, test } from "vitest";

import { IgnoreRules } from "./ignore-rules.ts";
import { InvalidPatternError } from "./path-pattern.ts";

describe("IgnoreRules", () => {
  test.each([
    { pattern: "*.tmp", path: "/a/b.tmp", isDirectory: false, ignores: true },
    { pattern: "build/", path: "/a/build", isDirectory: true, ignores: true },
    { pattern: "build/", path: "/a/build", isDirectory: false, ignores: false },
    { pattern: "build/", path: "/a/build/deep/in", isDirectory: false, ignores: true },
    { pattern: "/conf/secret", path: "/conf/secret", isDirectory: false, ignores: true },
    { pattern: "/conf/secret", path: "/other/conf/secret", isDirectory: false, ignores: false },
    { pattern: "/a/**/x", path: "/a/b/c/x", isDirectory: false, ignores: true },
    { pattern: "*.tmp", path: "/a.tmp/deep", isDirectory: false, ignores: true },
    { pattern: "*.tmp", path: "/a.tmpx/deep", isDirectory: false, ignores: false },
    { pattern: "/a/*/x/", path: "/a/b/x/c", isDirectory: false, ignores: true },
    { pattern: "/a/*/x/", path: "/b/a/b/x/c", isDirectory: false, ignores: false },
    { pattern: "/", path: "/a", isDirectory: true, ignores: false },
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

  test("ignores what any of several patterns means", () => {
    const rules = new IgnoreRules(["*.o", "node_modules/", "/dist"]);
    const paths = ["/a/b.o", "/a/node_modules/x", "/dist/x", "/a/dist/x", "/a/b.out"];
    expect(paths.filter((path) => rules.ignores(path, false))).toEqual(paths.slice(0, 3));
  });

  test("refuses a pattern that no path can match", () => {
    expect(() => new IgnoreRules(["../x"])).toThrow(InvalidPatternError);
  });
});
