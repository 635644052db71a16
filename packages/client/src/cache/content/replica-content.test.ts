import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";

import { EMPTY_SHA256, NO_RECNO, ROOT_OID, type Sha256 } from "@izo/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import {
  CALLER,
  oid,
  readDescriptor,
  remoteOperations,
  TestCache,
} from "../../testing/test-cache.ts";
import { ABSENT } from "../inode/object-mark.ts";

const { content, create, mkdir } = remoteOperations;

const onDisk = (name: string): string => join(cache.cacheDir, "tree/d", name);

let cache: TestCache;

beforeEach(async () => {
  cache = await TestCache.open({ isReplica: true });
  const sha256 = cache.store("old");
  cache.remote(create(oid("a"), "a", ROOT_OID), content(oid("a"), sha256, 3));
  await cache.read("/a");
});

function put(id: string, sha256: Sha256, bytes: string): Promise<void> {
  return cache.local.content.putContents([{ oid: oid(id), sha256, bytes: Buffer.from(bytes) }]);
}

const text = (id: string): string => `content of ${id}`;

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

test("[C4] a small content fills its placeholder where it stands, and no time tells of it", async () => {
  const sha256 = cache.store("small");
  cache.remote(create(oid("b"), "b", ROOT_OID), content(oid("b"), sha256, 5));
  const before = cache.fs.getattr(cache.node("/b"));
  const inode = cache.inode("/b");
  cache.notified.length = 0;
  await put("b", sha256, "small");
  const { blocks, ...after } = cache.fs.getattr(cache.node("/b"));
  expect({ ...before, blocks }).toEqual({ ...after, blocks });
  expect(blocks).toBeGreaterThan(0);
  expect(cache.inode("/b")).toBe(inode);
  expect(cache.notified).toEqual([`node ${cache.node("/b")}`]);
  expect(await cache.read("/b")).toBe("small");
  expect(cache.fetchCount).toBe(1);
  await cache.restart();
  expect(await cache.read("/b")).toBe("small");
  await cache.assertTidy();
});

test("[C3] a small content that replaces another gets an inode of its own", async () => {
  const node = cache.node("/a");
  const { fd } = await cache.fs.open(node, 0, CALLER);
  const sha256 = cache.store("newer");
  cache.remote(content(oid("a"), sha256, 5));
  await put("a", sha256, "newer");
  expect(readDescriptor(fd)).toBe("old");
  cache.fs.release(node, fd);
  expect(await cache.read("/a")).toBe("newer");
});

test("[C6] a crash in the middle of a small content leaves a placeholder: the content is fetched", async () => {
  const sha256 = cache.store("small");
  cache.remote(create(oid("b"), "b", ROOT_OID), content(oid("b"), sha256, 5));
  const before = cache.fs.getattr(cache.node("/b"));
  const fd = openSync(join(cache.cacheDir, "tree/b"), "r+");
  writeSync(fd, "sma");
  closeSync(fd);
  await cache.kill();
  await cache.start();
  expect(cache.pending).toEqual([]);
  expect(cache.fs.getattr(cache.node("/b")).mtimeNs).toBe(before.mtimeNs);
  expect(await cache.read("/b")).toBe("small");
  expect(cache.fetchCount).toBe(2);
  await cache.assertTidy();
});

describe("putContents() into a directory that nobody has looked at", () => {
  let sha256: Sha256;

  beforeEach(async () => {
    sha256 = cache.store("small");
    cache.remote(
      mkdir(oid("d"), "d"),
      create(oid("b"), "b", oid("d")),
      content(oid("b"), sha256, 5),
      create(oid("c"), "c", oid("d")),
      content(oid("c"), cache.store("other"), 5),
    );
    await put("b", sha256, "small");
  });

  test("[C4] makes files with the content that is at hand, and others as placeholders", async () => {
    const blocks = ["b", "c"].map((name) => statSync(onDisk(name)).blocks > 0);
    expect(blocks).toEqual([true, false]);
    const { mtimeNs, mode } = cache.fs.getattr(cache.node("/d/b"));
    expect([mtimeNs, mode]).toEqual([cache.fs.getattr(cache.node("/d/c")).mtimeNs, 0o100640]);
    expect(await cache.read("/d/b")).toBe("small");
    expect(cache.fetchCount).toBe(1);
    expect(await cache.read("/d/c")).toBe("other");
  });

  test("[C4] makes no file with a content that it does not show any more", async () => {
    cache.remote(mkdir(oid("e"), "e"), create(oid("f"), "f", oid("e")));
    cache.remote(content(oid("f"), cache.store("newer"), 5));
    await put("f", sha256, "small");
    expect(statSync(onDisk("../e/f")).blocks).toBe(0);
    expect(await cache.read("/e/f")).toBe("newer");
  });

  test("[C6] keeps what a crash has left of that, and shows how it changed since", async () => {
    // The mark of the directory is the last thing that is written.
    cache.form.writeMark(onDisk("."), { oid: oid("d"), holding: ABSENT });
    await cache.kill();
    await cache.start();
    cache.remote({
      opcode: "SETATTR",
      oid: oid("b"),
      path: "/d/b",
      attributes: { base: NO_RECNO, mode: 0o100600, uid: 7, gid: 8 },
      times: null,
    });
    const { mode, uid, gid } = cache.fs.getattr(cache.node("/d/b"));
    expect([mode, uid, gid]).toEqual([0o100600, 7, 8]);
    expect(await cache.read("/d/b")).toBe("small");
    expect(cache.fetchCount).toBe(1);
    await cache.assertTidy();
  });

  test("[C4] makes every file of a large one, each with what of it is at hand", async () => {
    const ids = Array.from({ length: 300 }, (_, index) => oid(`f${index}`));
    cache.remote(mkdir(oid("e"), "e"));
    for (const [index, id] of ids.entries()) {
      cache.remote(create(id, `${index}`, oid("e")));
      cache.remote(content(id, cache.store(text(id)), text(id).length));
    }
    const atHand = ids.filter((_, index) => index % 50 < 40);
    await cache.local.content.putContents(
      atHand.map((id) => ({
        oid: id,
        sha256: cache.store(text(id)),
        bytes: Buffer.from(text(id)),
      })),
    );
    const blocks = ids.map((_, index) => statSync(onDisk(`../e/${index}`)).blocks > 0);
    expect(blocks).toEqual(ids.map((id) => atHand.includes(id)));
    for (const index of [0, 39, 40, 130, 299])
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await cache.read(`/e/${index}`)).toBe(text(ids[index]!));
    await cache.restart();
    expect(await cache.read("/e/7")).toBe(text(ids[7]!));
    await cache.assertTidy();
  });
});
