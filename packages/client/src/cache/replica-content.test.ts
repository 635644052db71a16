import { EMPTY_SHA256, ROOT_OID } from "@izo/core";
import { afterEach, beforeEach, expect, test } from "vitest";

import { oid, remoteOperations, TestCache } from "../testing/test-cache.ts";

const { content, create } = remoteOperations;

let cache: TestCache;

beforeEach(async () => {
  cache = await TestCache.open({ isReplica: true });
  const sha256 = cache.store("old");
  cache.remote(create(oid("a"), "a", ROOT_OID), content(oid("a"), sha256, 3));
  await cache.read("/a");
});

afterEach(async () => {
  await cache[Symbol.asyncDispose]();
});

test("[C4] a file of a replica that was emptied elsewhere is empty at once: nothing is to be fetched", async () => {
  cache.remote(content(oid("a"), EMPTY_SHA256, 0));
  expect(cache.fs.getattr(cache.node("/a")).sizeBytes).toBe(0);
  expect(await cache.read("/a")).toBe("");
});

test("a time that was set elsewhere reaches a replica that has the content", () => {
  cache.remote({
    opcode: "SETATTR",
    oid: oid("a"),
    path: "/a",
    attributes: null,
    times: { contentBase: 0 as never, mtimeNs: 5n },
  });
  expect(cache.fs.getattr(cache.node("/a")).mtimeNs).toBe(5n);
});

test("[C4] a new file of a replica is never seen empty where it has a content", async () => {
  cache.remote(create(oid("b"), "b", ROOT_OID));
  expect(await cache.read("/b")).toBe("");
  cache.remote(content(oid("b"), cache.store("first"), 5));
  expect(cache.fs.getattr(cache.node("/b")).sizeBytes).toBe(5);
  expect(await cache.read("/b")).toBe("first");
});

test("[C4] an edited file of a replica shows what it was until what it is now is here", async () => {
  cache.remote(content(oid("a"), cache.store("edited"), 6));
  expect(cache.fs.getattr(cache.node("/a")).sizeBytes).toBe(3);
  expect(await cache.read("/a")).toBe("old");
});
