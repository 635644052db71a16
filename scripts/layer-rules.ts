/**
 * The directions in which code of this repository may depend on other code, as rules over import lines.
 * `docs/architecture.md` says why they are so; check-layers.ts applies them to every source file.
 */
import { isBuiltin } from "node:module";
import { posix } from "node:path";

/** One forbidden import: the file, the 1-based line, and the rule that it breaks. */
export interface LayerViolation {
  readonly path: string;
  readonly line: number;
  readonly specifier: string;
  readonly rule: string;
}

/** An import as a rule sees it. */
interface ImportSite {
  /** The importing file, from the root of the repository: `packages/core/src/kml/record.ts`. */
  readonly path: string;
  readonly package: string;
  readonly isTest: boolean;
  /** What stands between the quotes. */
  readonly specifier: string;
  /** Where a relative import leads, from the root of the repository. */
  readonly target: string | undefined;
}

interface LayerRule {
  readonly rule: string;
  readonly forbids: (site: ImportSite) => boolean;
}

/** Which packages of this repository each package may import. */
const ALLOWED_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  core: [],
  sys: [],
  server: ["core", "sys"],
  client: ["core", "sys"],
  cli: ["client", "core", "server", "sys"],
};

const SQL_PACKAGES = ["better-sqlite3", "drizzle-orm"];

const RULES: readonly LayerRule[] = [
  {
    rule: "packages depend on each other as cli → {server, client} → {core, sys} only",
    forbids: ({ package: from, specifier }) => {
      const to = /^@izo\/([^/]+)/.exec(specifier)?.[1];
      return to !== undefined && to !== from && !(ALLOWED_PACKAGES[from] ?? []).includes(to);
    },
  },
  {
    rule: "a package is imported by its name, not by a path into it",
    forbids: ({ package: from, target }) =>
      target !== undefined && !target.startsWith(`packages/${from}/`),
  },
  {
    rule: "inside a package the file itself is imported, not an index.ts",
    forbids: ({ path, isTest, target }) =>
      !isTest && !path.endsWith("/index.ts") && target?.endsWith("/index.ts") === true,
  },
  {
    rule: "core is pure: no Node built-ins outside src/testing and tests",
    forbids: ({ path, package: from, isTest, specifier }) =>
      from === "core" &&
      !isTest &&
      !path.startsWith("packages/core/src/testing/") &&
      isBuiltin(specifier),
  },
  {
    rule: "what core ships does not import its src/testing",
    forbids: ({ path, isTest, target }) =>
      !isTest &&
      !path.startsWith("packages/core/src/testing/") &&
      target?.startsWith("packages/core/src/testing/") === true,
  },
  {
    rule: "only db/ folders speak SQL",
    forbids: ({ path, isTest, specifier }) =>
      !isTest &&
      !/^packages\/[^/]+\/src\/(?:.+\/)?db\//.test(path) &&
      SQL_PACKAGES.some((name) => specifier === name || specifier.startsWith(`${name}/`)),
  },
  {
    rule: "routes/ holds no SQL and no rules: it does not import db/",
    forbids: ({ path, isTest, target }) =>
      !isTest && /\/src\/routes\//.test(path) && /\/src\/(?:.+\/)?db\//.test(target ?? ""),
  },
  {
    rule: "fuse/ knows the kernel and nothing of filesets: it does not import sync/, db/ or remote/",
    forbids: ({ path, isTest, target }) =>
      !isTest && /\/src\/fuse\//.test(path) && /\/src\/(?:sync|db|remote)\//.test(target ?? ""),
  },
];

/** `import … from "x"`, `export … from "x"`, `import "x"` and `import("x")`, over several lines too. */
const IMPORT =
  /^[ \t]*(?:import|export)\b[^"';]*?\bfrom\s*["']([^"']+)["']|^[ \t]*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;

/** Every forbidden import of one source file; `path` is from the root of the repository. */
export function findLayerViolations(path: string, source: string): LayerViolation[] {
  const from = /^packages\/([^/]+)\/src\//.exec(path)?.[1];
  if (from === undefined) return [];
  const violations: LayerViolation[] = [];
  for (const match of source.matchAll(IMPORT)) {
    const specifier = match[1] ?? match[2] ?? match[3] ?? "";
    const site: ImportSite = {
      path,
      package: from,
      isTest: path.endsWith(".test.ts"),
      specifier,
      target: specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : undefined,
    };
    for (const { rule, forbids } of RULES) {
      if (forbids(site)) violations.push({ path, line: lineAt(source, match), specifier, rule });
    }
  }
  return violations;
}

/** The 1-based line on which the matched import ends, where its specifier stands. */
function lineAt(source: string, match: RegExpExecArray): number {
  return source.slice(0, match.index + match[0].length).split("\n").length;
}
