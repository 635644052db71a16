import { EMPTY_SHA256, type Oid } from "@izo/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { oid, remoteOperations, TestCache } from "../testing/test-cache.ts";
import { type KeepOptions, KeepRules, PINNED, REPLICA } from "./keep-rules.ts";

const { create, mkdir, rename } = remoteOperations;

const [DOCS, OLD, TEXT, PDF] = [oid("d"), oid("e"), oid("f1"), oid("f2")];

let cache: TestCache;

beforeEach(async () => {
  cache = await TestCache.open();
  cache.remote(
    mkdir(DOCS, "docs"),
    mkdir(OLD, "old", DOCS),
    create(TEXT, "a.txt", OLD),
    create(PDF, "b.pdf"),
  );
});

afterEach(async () => {
  await cache[Symbol.asyncDispose]();
});

const NOTHING: KeepOptions = { pins: [], hoard: [], isReplica: false };

function rulesOf(options: Partial<KeepOptions>): KeepRules {
  return new KeepRules({ ...NOTHING, ...options });
}

function rank(rules: KeepRules, id: Oid): number | undefined {
  return rules.rankOf(id, cache.replica.visible);
}

/** What the rules give by walking, which has to be what they give for each file. */
function walked(rules: KeepRules): Map<Oid, number> {
  const files = [...rules.files(() => cache.replica.visible)];
  for (const { object } of files) expect(object.sha256).toBe(EMPTY_SHA256);
  return new Map(files.map(({ object, rank: found }) => [object.oid, found]));
}

describe("KeepRules", () => {
  test("keeps all that is below a pin, wherever it is moved", () => {
    const rules = rulesOf({ pins: [{ oid: OLD, path: "/docs/old" }] });
    expect([rank(rules, TEXT), rank(rules, PDF)]).toEqual([PINNED, undefined]);
    cache.remote(rename(OLD, "old", "elsewhere", DOCS));
    expect(rank(rules, TEXT)).toBe(PINNED);
    expect(walked(rules)).toEqual(new Map([[TEXT, PINNED]]));
  });

  test("keeps what a pattern matches, and all below it, by its path now", () => {
    const rules = rulesOf({ hoard: [{ pattern: "/docs/", priority: 7 }] });
    expect([rank(rules, TEXT), rank(rules, PDF)]).toEqual([7, undefined]);
    cache.remote(rename(OLD, "old", "elsewhere", DOCS));
    expect(rank(rules, TEXT)).toBeUndefined();
    expect(walked(rules)).toEqual(new Map());
  });

  test("gives a file the highest of its ranks", () => {
    const hoard = [
      { pattern: "*.txt", priority: 9 },
      { pattern: "docs", priority: 7 },
      { pattern: "*", priority: 3 },
    ];
    const rules = rulesOf({ hoard });
    expect([rank(rules, TEXT), rank(rules, PDF)]).toEqual([9, 3]);
    expect(walked(rules)).toEqual(new Map([TEXT, PDF].map((id, index) => [id, index ? 3 : 9])));
    const pinned = rulesOf({ hoard, pins: [{ oid: DOCS, path: "/docs" }] });
    expect(rank(pinned, TEXT)).toBe(PINNED);
    expect(walked(pinned).get(TEXT)).toBe(PINNED);
  });

  test("keeps everything in a replica, below all that is asked for", () => {
    expect(rank(rulesOf({ isReplica: true }), PDF)).toBe(REPLICA);
    const rules = rulesOf({ isReplica: true, hoard: [{ pattern: "*.pdf", priority: 1 }] });
    expect([rank(rules, TEXT), rank(rules, PDF)]).toEqual([REPLICA, 1]);
  });
});
