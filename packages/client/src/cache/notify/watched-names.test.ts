import { constants } from "node:fs";

import { NO_RECNO, type ReplicatedOperation } from "@izo/core";
import { afterEach, beforeEach, expect, test } from "vitest";

import { CALLER, oid, remoteOperations, TestCache } from "../../testing/test-cache.ts";

const { content, create, mkdir, rename, rmdir, unlink } = remoteOperations;

let cache: TestCache;

beforeEach(async () => {
  cache = await TestCache.open();
});

afterEach(async () => {
  await cache.assertTidy();
  await cache[Symbol.asyncDispose]();
});

function written(id: string, text: string): ReplicatedOperation {
  return content(oid(id), cache.store(text), text.length);
}

/** What who watches is told of these. */
function told(...operations: readonly ReplicatedOperation[]): readonly string[] {
  cache.watched.length = 0;
  cache.remote(...operations);
  return cache.watched;
}

test("[C7] who watches is told of names that come, go, move and lead to something else", async () => {
  cache.list("/");
  expect(told(create(oid("a"), "a"), written("a", "one"))).toEqual(["made a"]);
  expect(told(mkdir(oid("d"), "d"))).toEqual(["made d"]);
  expect(told(rename(oid("a"), "a", "b"))).toEqual(["moved b"]);
  expect(await cache.read("/b")).toBe("one");
  expect(told(create(oid("c"), "c"), rename(oid("c"), "c", "b"))).toEqual(["replaced b"]);
  expect(told(create(oid("e"), "e"))).toEqual(["made e"]);
  expect(told(rename(oid("e"), "e", "b"))).toEqual(["moved b"]);
  expect(told(rename(oid("d"), "d", "e"), rename(oid("e"), "b", "d"))).toEqual([
    "moved d",
    "made e",
  ]);
  expect(told(unlink(oid("e"), "d"), rmdir(oid("d"), "e"))).toEqual([
    "removed d for good",
    "removed e for good",
  ]);
});

test("[C7] who watches is told of contents and of attributes, under each name", async () => {
  cache.remote(create(oid("a"), "a"), written("a", "one"), mkdir(oid("d"), "d"));
  cache.list("/");
  expect(told(written("a", "other"))).toEqual(["written a"]);
  expect(await cache.read("/a")).toBe("other");
  expect(told(written("a", "another"))).toEqual(["replaced a"]);
  const attributes = { base: NO_RECNO, mode: 0o600, uid: 1000, gid: 1000 };
  expect(told({ opcode: "SETATTR", oid: oid("a"), path: "/a", attributes, times: null })).toEqual([
    "attributes a",
  ]);
});

test("[C7] who watches a directory that nobody has listed is told all the same", () => {
  cache.remote(mkdir(oid("d"), "d"));
  cache.node("/d");
  expect(told(create(oid("a"), "a", oid("d")))).toEqual(["made a"]);
  expect(told(unlink(oid("a"), "a", oid("d")))).toEqual(["removed a"]);
});

test("[C7] who watches a file or directory is told that it is gone, unless it may come back", async () => {
  cache.remote(create(oid("a"), "a"), create(oid("b"), "b"));
  cache.list("/");
  const node = cache.node("/a");
  const { fd } = await cache.fs.open(node, constants.O_WRONLY, CALLER);
  expect(told(unlink(oid("a"), "a"), unlink(oid("b"), "b"))).toEqual([
    "removed a",
    "removed b for good",
  ]);
  cache.close(node, fd);
});

test("[C7] own operations are the kernel's to tell, also when they come back from the server", async () => {
  cache.remote(create(oid("a"), "a"));
  cache.list("/");
  cache.watched.length = 0;
  await cache.write("/own", "text");
  cache.rename("/a", "/b");
  cache.mkdir("/e");
  cache.seal();
  await cache.push();
  cache.unlink("/b");
  await cache.push();
  expect(cache.watched).toEqual([]);
});
