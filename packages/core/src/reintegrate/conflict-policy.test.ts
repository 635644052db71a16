import { describe, expect, it } from "vitest";

import { conflictPolicies, InvalidPolicyError, parsePolicyRule } from "./conflict-policy.ts";

describe("conflictPolicies()", () => {
  it.each([
    { pattern: "*.lock", path: "/a/b/x.lock", isMeant: true },
    { pattern: "*.lock", path: "/x.lock/inside", isMeant: true },
    { pattern: "*.lock", path: "/x.locked", isMeant: false },
    { pattern: "build", path: "/a/build/x/y", isMeant: true },
    { pattern: "build", path: "/a/rebuild/x", isMeant: false },
    { pattern: "/build", path: "/a/build/x", isMeant: false },
    { pattern: "/build/", path: "/build/x", isMeant: true },
    { pattern: "/a/*/c", path: "/a/b/c", isMeant: true },
    { pattern: "/a/*/c", path: "/a/b/b/c", isMeant: false },
    { pattern: "/a/**/c", path: "/a/b/b/c", isMeant: true },
    { pattern: "a.b", path: "/axb", isMeant: false },
    { pattern: "docs/*.md", path: "/x/docs/a.md", isMeant: true },
    { pattern: "*", path: "/a\nb", isMeant: true },
  ])("[K47] $pattern means $path: $isMeant", ({ pattern, path, isMeant }) => {
    const policyOf = conflictPolicies([{ path: pattern, policy: "ours" }]);
    expect(policyOf(path)).toBe(isMeant ? "ours" : "both");
  });

  it("[K47] puts aside within .git, unless a rule says otherwise", () => {
    expect(conflictPolicies([])("/project/.git/refs/heads/main")).toBe("aside");
    expect(conflictPolicies([])("/project/.gitignore")).toBe("both");
    const policyOf = conflictPolicies([
      { path: ".git/index", policy: "theirs" },
      { path: ".git", policy: "both" },
    ]);
    expect(policyOf("/.git/index")).toBe("theirs");
    expect(policyOf("/.git/HEAD")).toBe("both");
  });

  it("[K44] never puts aside what stands aside", () => {
    expect(conflictPolicies([])("/.izo-conflicts/.git/HEAD")).toBe("both");
  });
});

describe("parsePolicyRule()", () => {
  it("reads a pattern and a policy", () => {
    expect(parsePolicyRule("a=b.txt=ours")).toEqual({ path: "a=b.txt", policy: "ours" });
  });

  it.each(["", "ours", "=ours", "/=ours", "a", "a=", "a=mine"])("refuses %j", (text) => {
    expect(() => parsePolicyRule(text)).toThrow(InvalidPolicyError);
  });
});
