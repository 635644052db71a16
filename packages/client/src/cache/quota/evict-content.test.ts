import { closeSync, openSync, readSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { CALLER, oid, remoteOperations, TestCache } from "../../testing/test-cache.ts";

const { content, create } = remoteOperations;
const FILE = oid("a");
const TEXT = "a content of the server\n".repeat(1000);

let cache: TestCache;

beforeEach(async () => {
  cache = await TestCache.open();
  cache.remote(create(FILE, "a"), content(FILE, cache.store(TEXT), TEXT.length));
});

afterEach(async () => {
  await cache.assertTidy();
  await cache[Symbol.asyncDispose]();
});

const onDisk = (name: string): string => join(cache.cacheDir, "tree", name);
const blocks = (name: string): number => statSync(onDisk(name)).blocks;

/** Lets go whatever may go. */
async function reclaim(): Promise<boolean> {
  return cache.local.quota.reclaim(Number.MAX_SAFE_INTEGER);
}

/** The same, after a look that found nothing: that is believed for a while. */
async function reclaimLater(): Promise<void> {
  await expect.poll(reclaim, { timeout: 10_000 }).toBe(true);
}

describe("[C4] evictContent()", () => {
  test("leaves a placeholder that shows the same file, and the content comes again", async () => {
    expect(await cache.read("/a")).toBe(TEXT);
    const before = cache.fs.getattr(cache.node("/a"));
    expect(await reclaim()).toBe(true);
    expect(blocks("a")).toBe(0);
    const { atimeNs: _a, blocks: _b, ...shown } = cache.fs.getattr(cache.node("/a"));
    const { atimeNs: _c, blocks: _d, ...expected } = before;
    expect(shown).toEqual(expected);
    expect(await cache.read("/a")).toBe(TEXT);
    expect(cache.fetchCount).toBe(2);
  });

  test("leaves what a program has open", async () => {
    const node = cache.node("/a");
    const { fd } = await cache.fs.open(node, 0, CALLER);
    expect(await reclaim()).toBe(false);
    const bytes = Buffer.alloc(TEXT.length);
    readSync(fd, bytes, 0, bytes.length, 0);
    expect(bytes.toString()).toBe(TEXT);
    cache.fs.release(node, fd);
    await reclaimLater();
  });

  test("leaves what was written here until the server has acknowledged it", async () => {
    await cache.write("/mine", "written here");
    expect(await reclaim()).toBe(false);
    cache.seal();
    expect(await reclaim()).toBe(false);
    await cache.push();
    await reclaimLater();
    expect(blocks("mine")).toBe(0);
    expect(await cache.read("/mine")).toBe("written here");
  });

  test("leaves an edit that waits, of a file whose older content the server has", async () => {
    await cache.write("/a", "edited");
    expect(await reclaim()).toBe(false);
    expect(await cache.read("/a")).toBe("edited");
  });

  test("leaves what waits to be sent, also where the server has just that content", async () => {
    await cache.write("/a", TEXT);
    cache.seal();
    expect(await reclaim()).toBe(false);
    await cache.push();
    await reclaimLater();
  });

  test("leaves what is not what the server has, whatever the marks say", async () => {
    await cache.write("/mine", "written here");
    await cache.push();
    // What no program of the mount can do: the bytes change without a word.
    writeFileSync(onDisk("mine"), "other  bytes");
    expect(await reclaim()).toBe(false);
    expect(cache.form.readMark(onDisk("mine"))?.holding.state).toBe("local");
  });

  test("leaves old content that a replica shows until the new one is here", async () => {
    await using replica = await TestCache.open({ isReplica: true });
    replica.remote(create(FILE, "a"), content(FILE, replica.store(TEXT), TEXT.length));
    expect(await replica.read("/a")).toBe(TEXT);
    replica.isOnline = false;
    replica.remote(content(FILE, replica.store("newer"), 5));
    expect(await replica.local.quota.reclaim(Number.MAX_SAFE_INTEGER)).toBe(false);
    expect(await replica.read("/a")).toBe(TEXT);
  });

  test("a crash between the mark and the truncation costs a fetch", async () => {
    expect(await cache.read("/a")).toBe(TEXT);
    const node = cache.node("/a");
    expect(await reclaim()).toBe(true);
    cache.fs.forget(node);
    // As it is found when the truncation was cut off half way.
    closeSync(openSync(onDisk("a"), "w"));
    await cache.kill();
    await cache.start();
    expect(await cache.read("/a")).toBe(TEXT);
  });
});
