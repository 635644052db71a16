import { readdirSync, readlinkSync } from "node:fs";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import {
  CALLER,
  oid,
  readDescriptor,
  remoteOperations,
  TestCache,
} from "../../testing/test-cache.ts";

const { content, create, unlink } = remoteOperations;
const TEXT = "a content of the server\n".repeat(1000);

let cache: TestCache;

beforeEach(async () => {
  cache = await TestCache.open();
  cache.remote(create(oid("a"), "a"), content(oid("a"), cache.store(TEXT), TEXT.length));
  await cache.read("/a");
});

afterEach(async () => {
  await cache.assertTidy();
  await cache[Symbol.asyncDispose]();
});

/** What this process has open in the cache tree, as the kernel names it. */
function openFiles(): string[] {
  const tree = `${cache.cacheDir}/tree/`;
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(tree) ? [path.slice(tree.length)] : [];
    } catch {
      return [];
    }
  });
}

async function openForReading(): Promise<number> {
  return (await cache.fs.open(cache.node("/a"), 0, CALLER)).fd;
}

describe("KeptDescriptors", () => {
  test("gives the next reader the descriptor of the one before, and each of two their own", async () => {
    expect(openFiles()).toEqual(["a"]);
    const [first, second] = [await openForReading(), await openForReading()];
    expect(second).not.toBe(first);
    const node = cache.node("/a");
    expect(cache.fs.release(node, first)).toBe(true);
    expect(cache.fs.release(node, second)).toBe(false);
    expect(await openForReading()).toBe(first);
    cache.fs.release(node, first);
    expect(openFiles()).toEqual(["a"]);
    expect(cache.closed).toEqual([]);
  });

  const takenAway: { description: string; change: () => void | Promise<void> }[] = [
    { description: "removed", change: () => cache.unlink("/a") },
    {
      description: "removed elsewhere",
      change: () => cache.remote(unlink(oid("a"), "a")),
    },
    {
      description: "replaced by a rename",
      change: async () => {
        await cache.write("/b", "b");
        cache.rename("/b", "/a");
      },
    },
    {
      description: "replaced by a content that was made elsewhere",
      change: () => cache.remote(content(oid("a"), cache.store("new"), 3)),
    },
    {
      description: "evicted",
      change: async () => void (await cache.local.quota.reclaim(Number.MAX_SAFE_INTEGER)),
    },
  ];

  test.each(takenAway)("lets go of a file that was $description", async ({ change }) => {
    const fd = await openForReading();
    cache.fs.release(cache.node("/a"), fd);
    await change();
    expect(openFiles()).toEqual([]);
    expect(cache.closed).toEqual([fd]);
  });

  test("gives no descriptor of what was there before the content left and came again", async () => {
    await cache.local.quota.reclaim(Number.MAX_SAFE_INTEGER);
    const fd = await openForReading();
    expect(readDescriptor(fd)).toBe(TEXT);
    cache.fs.release(cache.node("/a"), fd);
  });

  test("shows what was written since it was kept", async () => {
    await cache.write("/a", "other");
    expect(await cache.read("/a")).toBe("other");
  });

  test("keeps so many and no more: what was read longest ago is closed", async () => {
    const names = Array.from({ length: 520 }, (_, index) => `n${index}`);
    for (const name of names) await cache.write(`/${name}`, name);
    for (const name of names) await cache.read(`/${name}`);
    expect(openFiles()).toHaveLength(512);
    expect(openFiles()).not.toContain("a");
    expect(await cache.read("/n0")).toBe("n0");
  });

  test("has nothing open when the file system has ended", () => {
    cache.local[Symbol.dispose]();
    expect(openFiles()).toEqual([]);
  });
});
