import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import type { Oid } from "@izo/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { PINNED, type Rank } from "../../keep/keep-rules.ts";
import { oid } from "../../testing/test-cache.ts";
import { DIRECT_FORM } from "../inode/direct-form.ts";
import { CacheQuota } from "./cache-quota.ts";
import { LastUses } from "./last-uses.ts";

const BLOCK = 4096;

/** Nothing is wanted less. */
const NOBODY: Rank = -1;

let directory = "";
let quota: CacheQuota;
let uses: LastUses;
let nowMs = 0;
let isServerThere = true;
const ranks = new Map<Oid, Rank>();
const stuck = new Set<Oid>();
const gone: Oid[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "izo-quota-"));
  mkdirSync(join(directory, "tree"));
  for (const noted of [ranks, stuck]) noted.clear();
  gone.length = 0;
  isServerThere = true;
  uses = new LastUses(directory, () => (nowMs += 1));
  quota = new CacheQuota({
    form: DIRECT_FORM,
    treePath: join(directory, "tree"),
    lastUses: uses,
    rankOf: (id) => ranks.get(id),
    evict: (id) => {
      if (stuck.has(id)) return Promise.resolve(false);
      gone.push(id);
      truncateSync(join(directory, "tree", id), 0);
      return Promise.resolve(true);
    },
    isServerThere: () => isServerThere,
    settleMs: 10,
    onProblem: (_path, error) => {
      throw error;
    },
    signal: new AbortController().signal,
  });
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** A content in the cache, used after those before it. */
function cached(id: string, blocks: number, rank?: Rank): Oid {
  const object = oid(id);
  const path = join(directory, "tree", object);
  writeFileSync(path, Buffer.alloc(blocks * BLOCK, 1));
  DIRECT_FORM.writeMark(path, { oid: object, holding: { state: "whole" } });
  if (rank !== undefined) ranks.set(object, rank);
  uses.note(object);
  return object;
}

describe("CacheQuota lets go", () => {
  test("first what was used longest ago, down to nine tenths of the quota", async () => {
    const [a, b, c] = [cached("a", 4), cached("b", 4), cached("c", 4)];
    uses.note(a);
    quota.setQuota(10 * BLOCK);
    await expect.poll(() => gone, { timeout: 10_000 }).toEqual([b]);
    expect(c).toBeDefined();
  });

  test("what nobody keeps before what is hoarded, by priority, and never what is pinned", async () => {
    const pinned = cached("a", 4, PINNED);
    const [dear, cheap, loose] = [cached("b", 4, 900), cached("c", 4, 100), cached("d", 4)];
    expect(await quota.reclaim(100 * BLOCK)).toBe(true);
    expect(gone).toEqual([loose, cheap, dear]);
    expect(gone).not.toContain(pinned);
  });

  test("only as much as it must, and the next where one cannot go", async () => {
    const [a, b, c] = [cached("a", 4), cached("b", 4), cached("c", 4)];
    const large = cached("d", 1_024);
    stuck.add(a);
    cached("e", 1_024);
    expect(await quota.reclaim(3 * BLOCK)).toBe(true);
    expect(gone).toEqual([b, c, large]);
  });

  test("nothing below the quota", async () => {
    cached("a", 4);
    quota.setQuota(4 * BLOCK);
    expect(await quota.makeRoomFor(0, NOBODY)).toBe(false);
    await delay(200);
    expect(gone).toEqual([]);
  });

  test("nothing for its quota while the server is away: it could not come back", async () => {
    isServerThere = false;
    const a = cached("a", 4);
    quota.setQuota(BLOCK);
    await delay(200);
    expect(gone).toEqual([]);
    isServerThere = true;
    quota.check();
    await expect.poll(() => gone, { timeout: 10_000 }).toEqual([a]);
  });
});

describe("CacheQuota.makeRoomFor()", () => {
  test("lets go only what is wanted less", async () => {
    const [less, more] = [cached("a", 4, 100), cached("b", 4, 300)];
    quota.setQuota(10 * BLOCK);
    expect(await quota.makeRoomFor(4 * BLOCK, 100)).toBe(false);
    expect(gone).toEqual([]);
    expect(await quota.makeRoomFor(4 * BLOCK, 200)).toBe(true);
    expect(gone).toEqual([less]);
    expect(await quota.makeRoomFor(8 * BLOCK, 300)).toBe(false);
    expect(gone).not.toContain(more);
  });

  test("counts what has come since, and takes what is larger than the quota for no reason to let go", async () => {
    cached("a", 4);
    quota.setQuota(20 * BLOCK);
    expect(await quota.makeRoomFor(BLOCK, NOBODY)).toBe(true);
    cached("b", 14);
    quota.noteArrival(14 * BLOCK);
    expect(await quota.makeRoomFor(BLOCK, NOBODY)).toBe(false);
    expect(await quota.makeRoomFor(21 * BLOCK, 1)).toBe(false);
    expect(gone).toEqual([]);
  });

  test("has room for everything without a quota", async () => {
    cached("a", 4);
    expect(await quota.makeRoomFor(Number.MAX_SAFE_INTEGER, 1)).toBe(true);
  });
});

test("LastUses finds what was used again, in its order", () => {
  uses.note(oid("a"));
  uses.note(oid("b"));
  uses.note(oid("c"));
  uses.forget(oid("c"));
  uses.save();
  const again = new LastUses(directory, () => 0);
  expect(again.of(oid("a"))).toBe(uses.of(oid("a")));
  expect(again.of(oid("b"))).toBeGreaterThan(again.of(oid("a"))!);
  expect(again.of(oid("c"))).toBeUndefined();
});
