import { constants } from "node:fs";

import { describe, expect, test } from "vitest";

import { CALLER, TestCache } from "../testing/test-cache.ts";
import { areBlocksInDoubt } from "./blocks-in-doubt.ts";

const MINUTE_NS = 60_000_000_000n;
const stat = { mode: constants.S_IFREG | 0o644, size: 8192, blocks: 0, ctimeNs: 0n };

describe("areBlocksInDoubt()", () => {
  test.each([
    ["a file that was just written and has none", {}, true],
    ["one with some of them", { blocks: 8 }, true],
    ["one with all of them", { blocks: 16 }, false],
    ["one that nobody has changed for long", { ctimeNs: -20n * MINUTE_NS }, false],
    ["a symlink, which needs none", { mode: constants.S_IFLNK | 0o777 }, false],
  ])("of %s", (_what, change, expected) => {
    expect(areBlocksInDoubt({ ...stat, ...change }, () => 0n)).toBe(expected);
  });
});

test("getattr() lets the kernel keep nothing of a file that has fewer blocks than bytes", async () => {
  await using cache = await TestCache.open();
  await cache.write("/full", "1");
  await cache.write("/sparse", "1");
  await cache.fs.setattr(cache.node("/sparse"), { sizeBytes: 1 << 20 }, CALLER);
  expect(cache.fs.getattr(cache.node("/full")).isVolatile).toBe(false);
  expect(cache.fs.getattr(cache.node("/sparse")).isVolatile).toBe(true);
});
