import { rmSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { CALLER, TestCache } from "../testing/test-cache.ts";

const RENAME_EXCHANGE = 2;

let cache: TestCache;

beforeEach(async () => {
  cache = await TestCache.open();
  await cache.write("/a", "one");
  cache.mkdir("/d");
  await cache.write("/d/b", "other");
});

afterEach(async () => {
  await cache.assertTidy();
  await cache[Symbol.asyncDispose]();
});

const exchange = (from: string, to: string) =>
  cache.fs.rename(...cache.place(from), ...cache.place(to), RENAME_EXCHANGE, CALLER);

async function crash(): Promise<void> {
  await cache.kill();
  await cache.start();
}

describe("exchangeNames()", () => {
  test("lets two files change places, and logs three moves", async () => {
    exchange("/a", "/d/b");
    expect([await cache.read("/a"), await cache.read("/d/b")]).toEqual(["other", "one"]);
    const [first, second, third] = cache.replica.pending.unsent
      .slice(-3)
      .map(({ operation }) => operation);
    expect(first).toMatchObject({ opcode: "RENAME", fromPath: "/a", victim: null });
    expect(second).toMatchObject({ opcode: "RENAME", fromPath: "/d/b", toPath: "/a" });
    expect(third).toMatchObject({ opcode: "RENAME", toPath: "/d/b", victim: null });
    await cache.restart();
    expect([await cache.read("/a"), await cache.read("/d/b")]).toEqual(["other", "one"]);
  });

  test("logs what was written and not logged before, of both", async () => {
    const [fd, node] = await cache.openForWriting("/d/b");
    exchange("/a", "/d/b");
    cache.close(node, fd);
    expect(await cache.read("/a")).toBe("");
  });

  test("back again is as it was", async () => {
    exchange("/a", "/d");
    expect(await cache.read("/a/b")).toBe("other");
    exchange("/a", "/d");
    expect([await cache.read("/a"), await cache.read("/d/b")]).toEqual(["one", "other"]);
  });

  test("what the disk refuses is taken back", async () => {
    // Known to the table, and gone behind its back.
    cache.node("/d/b");
    rmSync(join(cache.cacheDir, "tree", "d", "b"));
    const before = cache.pending;
    expect(() => exchange("/a", "/d/b")).toThrow("ENOENT");
    expect(cache.pending).toEqual(before);
    expect(await cache.read("/a")).toBe("one");
  });

  test("a log that takes no more leaves everything as it was", async () => {
    vi.spyOn(cache.replica, "recordTogether").mockImplementationOnce(() => {
      throw new Error("no room");
    });
    expect(() => exchange("/a", "/d/b")).toThrow("no room");
    expect([await cache.read("/a"), await cache.read("/d/b")]).toEqual(["one", "other"]);
  });
});

/** The machine stops after so many of the moves were logged, before the step. */
async function cutOffAfter(moves: number): Promise<void> {
  const record = cache.replica.recordTogether.bind(cache.replica);
  vi.spyOn(cache.replica, "recordTogether").mockImplementationOnce((make, actor) => {
    record((first) => make(first).slice(0, moves), actor);
    throw new Error("cut off");
  });
  expect(() => exchange("/a", "/d/b")).toThrow("cut off");
  await crash();
}

describe("[C6] an exchange that was cut off", () => {
  test.for([0, 1, 2])("after %i of its records was not begun", async (moves) => {
    await cutOffAfter(moves);
    expect([await cache.read("/a"), await cache.read("/d/b")]).toEqual(["one", "other"]);
    expect(cache.list("/")).toEqual(["a", "d"]);
  });

  test("after all of them is done", async () => {
    await cutOffAfter(3);
    expect([await cache.read("/a"), await cache.read("/d/b")]).toEqual(["other", "one"]);
    expect(cache.list("/")).toEqual(["a", "d"]);
  });
});
