import { randomBytes } from "node:crypto";
import { lstatSync, readdirSync, readlinkSync } from "node:fs";

import { MAX_INLINE_BYTES, ProblemError, problemOf } from "@izo/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { NodeId, Opened } from "../fuse/file-system.ts";
import { RemoteProblemError } from "../sync/remote-error.ts";
import { ScriptedSource } from "../testing/scripted-source.ts";
import { CALLER, oid, remoteOperations, TestCache } from "../testing/test-cache.ts";

const MIB = 1024 * 1024;
const SIZE_BYTES = 8 * MIB;
const content = randomBytes(SIZE_BYTES);
const FILE = oid("a1");
const { create, content: contentOf, unlink } = remoteOperations;

let cache: TestCache;
let source: ScriptedSource;
let node: NodeId;

/** A cache that shows a large file and has the first MiB of it to come. */
beforeEach(async () => {
  cache = await TestCache.open();
  source = new ScriptedSource(content);
  cache.source = source;
  cache.remote(create(FILE, "large"), contentOf(FILE, cache.store(content), SIZE_BYTES));
  node = cache.node("/large");
  source.holdBackFrom(MIB);
});

afterEach(async () => {
  await cache[Symbol.asyncDispose]();
});

async function openArriving(): Promise<Opened> {
  return cache.fs.open(node, 0, CALLER, true);
}

/** Until the content is in its place. */
async function arrive(): Promise<void> {
  source.letGo();
  const { fd } = await cache.fs.open(node, 0, CALLER);
  cache.fs.release(node, fd);
}

/** What is open in the cache of contents that come, and of files that are gone. */
function openRemains(): string[] {
  const paths = readdirSync("/proc/self/fd").map((fd) => {
    // One of them was that of the listing.
    const isOpen = lstatSync(`/proc/self/fd/${fd}`, { throwIfNoEntry: false }) !== undefined;
    return isOpen ? readlinkSync(`/proc/self/fd/${fd}`) : "";
  });
  const isRemains = /\/partial\/|\(deleted\)/;
  return paths.filter((path) => path.startsWith(cache.cacheDir) && isRemains.test(path));
}

describe("an open of large content that is not here", () => {
  test("does not wait for all of it, where the driver can serve that", async () => {
    const { fd, arriving } = await openArriving();
    await arriving!.whenHere(0, MIB);
    expect(arriving!.whenHere(0, MIB)).toBeUndefined();
    expect(arriving!.isSettled).toBe(false);
    let isOpen = false;
    const waiting = Promise.resolve(cache.fs.open(node, 0, CALLER)).then((opened) => {
      isOpen = true;
      return opened;
    });
    await arriving!.whenHere(MIB / 2, 10);
    expect(isOpen).toBe(false);
    source.letGo();
    cache.fs.release(node, (await waiting).fd);
    expect(arriving!.isSettled).toBe(true);
    cache.fs.release(node, fd);
  });

  test("waits for small content, and for all of it where streaming is off", async () => {
    source.letGo();
    cache.local.setStreamFrom(null);
    const { fd, arriving } = await openArriving();
    expect(arriving).toBeUndefined();
    cache.fs.release(node, fd);
    expect(MAX_INLINE_BYTES).toBeLessThan(MIB);
  });

  test("shows blocks while it is read so, and none before and afterwards", async () => {
    expect(cache.fs.getattr(node).blocks).toBe(0);
    const { fd } = await openArriving();
    expect(cache.fs.getattr(node)).toMatchObject({
      sizeBytes: SIZE_BYTES,
      blocks: SIZE_BYTES / 512,
    });
    expect(cache.fs.getattr(node, fd)).toMatchObject({ mode: 0o100640, sizeBytes: SIZE_BYTES });
    cache.fs.release(node, fd);
    expect(cache.fs.getattr(node).blocks).toBe(0);
    await arrive();
    expect(cache.fs.getattr(node).blocks).toBe(SIZE_BYTES / 512);
  });

  test("[C3] has a node of its own when another content comes, also with no name left", async () => {
    const { fd, arriving } = await openArriving();
    const inode = cache.inode("/large");
    cache.remote(contentOf(FILE, cache.store("new"), 3));
    expect(cache.inode("/large")).not.toBe(inode);
    const next = cache.node("/large");
    expect(next).not.toBe(node);
    expect(cache.fs.getattr(next).sizeBytes).toBe(3);
    cache.remote(unlink(FILE, "large"));
    expect(cache.find("/large")).toBeUndefined();
    expect(cache.fs.getattr(node)).toMatchObject({ sizeBytes: SIZE_BYTES, nlink: 0 });
    source.letGo();
    await arriving!.whenHere(SIZE_BYTES - 10, 10);
    cache.fs.release(node, fd);
  });

  test("gives what can be had of content that the server has replaced, and ESTALE for the rest", async () => {
    const { fd, arriving } = await openArriving();
    await arriving!.whenHere(0, MIB);
    const superseded = new ProblemError("content-superseded", "it was replaced", { recno: 2 });
    cache.source = {
      fetchContent: () => Promise.reject(new RemoteProblemError(problemOf(superseded))),
    };
    // Nothing is to be had where it looks, and the stream that brings the rest goes on.
    const far = arriving!.whenHere(6 * MIB, 10);
    const near = arriving!.whenHere(2 * MIB, 10);
    source.cutAt(4 * MIB);
    source.letGo();
    await near;
    await expect(far).rejects.toMatchObject({ code: "ESTALE" });
    expect(arriving!.whenHere(3 * MIB, MIB)).toBeUndefined();
    cache.fs.release(node, fd);
  });

  test("leaves no descriptor behind, however it ends", async () => {
    for (const end of ["closed", "killed while it waits", "removed"]) {
      const id = oid(`b${end.length}`);
      cache.remote(create(id, end), contentOf(id, cache.store(content), SIZE_BYTES));
      source.holdBackFrom(MIB);
      node = cache.node(`/${end}`);
      // oxlint-disable-next-line no-await-in-loop -- one after another
      const [first, second] = [await openArriving(), await openArriving()];
      const waiting = first.arriving!.whenHere(5 * MIB, 10);
      if (end === "removed") cache.remote(unlink(id, end));
      for (const { fd } of [first, second]) cache.fs.release(node, fd);
      // oxlint-disable-next-line no-await-in-loop
      await expect(waiting).rejects.toThrow("aborted");
      source.letGo();
      // oxlint-disable-next-line no-await-in-loop
      if (end !== "removed") await arrive();
      cache.fs.forget(node);
    }
    await expect.poll(openRemains).toEqual([]);
    expect(readdirSync(`${cache.cacheDir}/partial`)).toEqual([]);
  });
});

test("[C6] a fetch that an unmount interrupted goes on where it was", async () => {
  source.holdBackFrom(5 * MIB);
  const { fd, arriving } = await openArriving();
  await arriving!.whenHere(0, 5 * MIB);
  cache.fs.release(node, fd);
  await cache.restart();
  const next = new ScriptedSource(content);
  cache.source = next;
  node = cache.node("/large");
  const whole = await cache.fs.open(node, 0, CALLER);
  cache.fs.release(node, whole.fd);
  expect(next.asked.map(({ offsetBytes }) => offsetBytes)).toEqual([5 * MIB]);
});
