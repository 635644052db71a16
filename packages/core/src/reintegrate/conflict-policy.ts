import { IzoError } from "../errors.ts";
import { ASIDE_DIRECTORY } from "./aside.ts";

/**
 * What becomes of the later of two truths about one path.
 *
 * - `both`: it becomes a copy beside the first;
 * - `aside`: it becomes a copy under the same path in `.izo-conflicts`, where no program looks for files;
 * - `ours`: the first stays; the later content goes into history;
 * - `theirs`: the later replaces the first, which goes into history.
 */
export type ConflictPolicy = (typeof CONFLICT_POLICIES)[number];

export const CONFLICT_POLICIES = ["both", "aside", "ours", "theirs"] as const;

/** A policy for the paths that a pattern matches. */
export interface PolicyRule {
  /**
   * A path of the fileset from its root on where it starts with `/`, else the end of one; `*` stands for
   * anything but `/`, `**` for anything. It also means all that is below what it matches.
   */
  readonly path: string;
  readonly policy: ConflictPolicy;
}

/** Gives the policy of a path of the fileset, `/a/b`. */
export type PolicyOf = (path: string) => ConflictPolicy;

/** Git takes each file below its directory for its own: a copy under `refs/heads` would be a branch. */
const BUILT_IN: readonly PolicyRule[] = [{ path: ".git", policy: "aside" }];

/** The first rule that matches counts; behind all of them stand those that are built in, then `both`. */
export function conflictPolicies(rules: readonly PolicyRule[]): PolicyOf {
  const compiled = [...rules, ...BUILT_IN].map(({ path, policy }) => ({
    pattern: compile(path),
    policy,
  }));
  return (path) => {
    // A copy that was put aside can be in conflict, too; it is not put further away.
    if (path.startsWith(`/${ASIDE_DIRECTORY}/`)) return "both";
    return compiled.find(({ pattern }) => pattern.test(path))?.policy ?? "both";
  };
}

/** A rule that cannot be read. */
export class InvalidPolicyError extends IzoError {
  constructor(text: string) {
    super(
      "invalid-policy",
      `Cannot read the conflict policy ${JSON.stringify(text)}: expected PATTERN=${CONFLICT_POLICIES.join("|")}`,
      { text },
    );
  }
}

/**
 * Reads a rule as settings have it.
 *
 * @throws InvalidPolicyError
 * @example parsePolicyRule("*.lock=theirs")
 */
export function parsePolicyRule(text: string): PolicyRule {
  const equals = text.lastIndexOf("=");
  const policy = CONFLICT_POLICIES.find((known) => known === text.slice(equals + 1));
  const path = text.slice(0, Math.max(0, equals));
  if (policy === undefined || path.replaceAll("/", "") === "") throw new InvalidPolicyError(text);
  return { path, policy };
}

/** What is built in, for those who know no rules. */
export const BUILT_IN_POLICIES: PolicyOf = conflictPolicies([]);

function compile(path: string): RegExp {
  const isAnchored = path.startsWith("/");
  const body = path
    .replaceAll(/^\/+|\/+$/g, "")
    .split(/(\*\*|\*)/)
    .map((part) =>
      part === "**"
        ? ".*"
        : part === "*"
          ? "[^/]*"
          : part.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`),
    )
    .join("");
  return new RegExp(`^/${isAnchored ? "" : "(?:.*/)?"}${body}(?:/.*)?$`, "s");
}
