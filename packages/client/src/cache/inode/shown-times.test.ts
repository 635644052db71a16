import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Oid } from "@izo/core";
import { afterEach, beforeEach, expect, test } from "vitest";

import { oid } from "../../testing/test-cache.ts";
import { CacheNode } from "../tree/cache-node.ts";
import { ABSENT } from "./object-mark.ts";
import { ShownTimes } from "./shown-times.ts";

let cacheDir = "";

beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), "izo-shown-times-"));
});
afterEach(() => rmSync(cacheDir, { recursive: true }));

function nodeOf(id: Oid, actualNs: bigint, shownNs: bigint): CacheNode {
  const node = new CacheNode(7, id, "file", ABSENT);
  node.shownCtime = { actualNs, shownNs };
  return node;
}

test("ShownTimes gives the next process what inodes show, as long as they have the time that was noted with it", () => {
  const nodes = Array.from({ length: 100 }, (_, index) =>
    nodeOf(oid(`${index}`), BigInt(1000 + index), BigInt(index)),
  );
  new ShownTimes(cacheDir).save(nodes.toReversed());
  const next = new ShownTimes(cacheDir);
  for (const { oid: id, shownCtime } of nodes)
    expect(next.of(id, shownCtime!.actualNs)).toEqual(shownCtime);
  expect(next.of(oid("5"), 1006n)).toBeUndefined();
  expect(next.of(oid("abc"), 1005n)).toBeUndefined();
});

test("ShownTimes keeps what is known of inodes that nobody meets, and takes the later of two", () => {
  new ShownTimes(cacheDir).save([nodeOf(oid("a"), 10n, 1n), nodeOf(oid("b"), 20n, 2n)]);
  const second = new ShownTimes(cacheDir);
  second.keep(nodeOf(oid("c"), 30n, 3n));
  expect(second.of(oid("c"), 30n)?.shownNs).toBe(3n);
  second.save([nodeOf(oid("b"), 21n, 2n)]);
  const third = new ShownTimes(cacheDir);
  expect(third.of(oid("a"), 10n)?.shownNs).toBe(1n);
  expect(third.of(oid("b"), 20n)).toBeUndefined();
  expect(third.of(oid("b"), 21n)?.shownNs).toBe(2n);
  expect(third.of(oid("c"), 30n)?.shownNs).toBe(3n);
});

test("ShownTimes takes no part of an entry from a file that was cut off", () => {
  new ShownTimes(cacheDir).save([nodeOf(oid("a"), 10n, 1n)]);
  appendFileSync(join(cacheDir, "shown-times"), Buffer.alloc(20, 0xff));
  expect(new ShownTimes(cacheDir).of(oid("a"), 10n)?.shownNs).toBe(1n);
  writeFileSync(join(cacheDir, "shown-times"), "");
  expect(new ShownTimes(cacheDir).of(oid("a"), 10n)).toBeUndefined();
});
