import { describe, expect, it } from "vitest";

import { findLayerViolations } from "./layer-rules.ts";

interface Case {
  readonly description: string;
  readonly path: string;
  readonly source: string;
}

const forbidden: readonly Case[] = [
  {
    description: "the client from the server",
    path: "packages/server/src/serve.ts",
    source: 'import { mount } from "@izo/client";',
  },
  {
    description: "core from another package by path",
    path: "packages/server/src/serve.ts",
    source: 'import { replay } from "../../core/src/replay/replay.ts";',
  },
  {
    description: "an index.ts inside a package",
    path: "packages/core/src/replay/replay.ts",
    source: 'import { Recno } from "../index.ts";',
  },
  {
    description: "a node: built-in in core",
    path: "packages/core/src/kml/record.ts",
    source: 'import { readFile } from "node:fs/promises";',
  },
  {
    description: "a built-in without its prefix in core, over several lines",
    path: "packages/core/src/kml/record.ts",
    source: 'import {\n  readFile,\n} from "fs";',
  },
  {
    description: "core's testing from what core ships",
    path: "packages/core/src/sync/step.ts",
    source: 'export { simulate } from "../testing/simulate.ts";',
  },
  {
    description: "SQLite outside db/",
    path: "packages/client/src/cache/tree.ts",
    source: 'import Database from "better-sqlite3";',
  },
  {
    description: "a drizzle subpath outside db/, dynamically",
    path: "packages/client/src/cache/tree.ts",
    source: 'const { eq } = await import("drizzle-orm/sqlite-core");',
  },
  {
    description: "db/ from routes/",
    path: "packages/server/src/routes/kml.ts",
    source: 'import { openIndex } from "../db/open-index.ts";',
  },
  {
    description: "sync/ from fuse/",
    path: "packages/client/src/fuse/driver.ts",
    source: 'import type { InterSync } from "../sync/intersync.ts";',
  },
];

const allowed: readonly Case[] = [
  {
    description: "core from the server",
    path: "packages/server/src/serve.ts",
    source: 'import { replay } from "@izo/core";',
  },
  {
    description: "a built-in in core's testing",
    path: "packages/core/src/testing/golden.ts",
    source: 'import { readFileSync } from "node:fs";',
  },
  {
    description: "a built-in in a test of core",
    path: "packages/core/src/kml/record.test.ts",
    source: 'import { readFileSync } from "node:fs";',
  },
  {
    description: "SQLite in db/",
    path: "packages/server/src/db/open-index.ts",
    source: 'import Database from "better-sqlite3";',
  },
  {
    description: "the public names of a package in its index.ts",
    path: "packages/core/src/index.ts",
    source: 'export * from "./kml/index.ts";',
  },
];

describe("findLayerViolations()", () => {
  it.each(forbidden)("forbids $description", ({ path, source }) => {
    expect(findLayerViolations(path, source)).toHaveLength(1);
  });

  it.each(allowed)("allows $description", ({ path, source }) => {
    expect(findLayerViolations(path, source)).toEqual([]);
  });

  it("names the line of the specifier", () => {
    const source = '// a comment\nimport {\n  a,\n} from "node:fs";\n';
    expect(findLayerViolations("packages/core/src/a.ts", source)).toMatchObject([{ line: 4 }]);
  });
});
