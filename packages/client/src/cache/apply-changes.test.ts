import { constants, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import {
  NO_RECNO,
  parseName,
  ProblemError,
  problemOf,
  type ReplicatedOperation,
  ROOT_OID,
} from "@izo/core";
import { lgetxattr, lsetxattr } from "@izo/sys";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { RemoteProblemError } from "../sync/remote-error.ts";
import { CALLER, oid, readDescriptor, remoteOperations, TestCache } from "../testing/test-cache.ts";

const { content, create, mkdir, rename, rmdir, unlink } = remoteOperations;

let cache: TestCache;

beforeEach(async () => {
  cache = await TestCache.open();
});

afterEach(async () => {
  await cache.assertTidy();
  await cache[Symbol.asyncDispose]();
});

/** A file of the server with content, and its place in the cache. */
function remoteFile(id: string, name: string, text: string, parent = ROOT_OID): void {
  const sha256 = cache.store(text);
  cache.remote(create(oid(id), name, parent), content(oid(id), sha256, text.length));
}

/** Owner rw, user 5 r, group r, mask r, others none: version 2 of linux/posix_acl_xattr.h. */
const ACCESS_LIST = Buffer.from(
  "02000000" +
    "01000600ffffffff" +
    "0200040005000000" +
    "04000400ffffffff" +
    "10000400ffffffff" +
    "20000000ffffffff",
  "hex",
);

function setXattr(attribute: string, value: Uint8Array): ReplicatedOperation {
  return { opcode: "SETEXTATTR", oid: oid("a"), path: "/a", attribute, value, base: NO_RECNO };
}

function removeXattr(attribute: string): ReplicatedOperation {
  return { opcode: "DELEXTATTR", oid: oid("a"), path: "/a", attribute, base: NO_RECNO };
}

/** Another name of "a" in a directory. */
function linkIn(parent: string, name: string): ReplicatedOperation {
  const path = `/${parent}/${name}`;
  const place = { parent: oid(parent), name: parseName(name), path };
  return { opcode: "LINK", oid: oid("a"), ...place, conflict: null };
}

const pathOfA = () => join(cache.cacheDir, "tree", "a");
const xattrNames = () => {
  const names = cache.form.listXattrs(pathOfA());
  return names.filter((name) => name !== cache.markName).toSorted();
};

describe("names", () => {
  test("[C1] a directory that nobody looked at stays in the index", () => {
    cache.remote(mkdir(oid("d"), "d"), create(oid("f"), "f", oid("d")));
    expect(readdirSync(join(cache.cacheDir, "tree"))).toEqual([]);
    expect(cache.list("/")).toEqual(["d"]);
    expect(readdirSync(join(cache.cacheDir, "tree", "d"))).toEqual([]);
    cache.remote(create(oid("a"), "g", oid("d")));
    expect(readdirSync(join(cache.cacheDir, "tree", "d"))).toEqual([]);
    expect(cache.list("/d")).toEqual(["f", "g"]);
  });

  test("a placeholder has size, mode, owner and time, and takes no space", () => {
    cache.remote(create(oid("a"), "a"), content(oid("a"), cache.store("x"), 1_000_000_000));
    expect(cache.fs.getattr(cache.node("/a"))).toMatchObject({
      sizeBytes: 1_000_000_000,
      mode: 0o100640,
      uid: 1000,
      mtimeNs: 1_700_000_000_123_456_789n,
      blocks: 0,
    });
  });

  test("a swap of two names moves both inodes", async () => {
    remoteFile("a", "a", "one");
    remoteFile("b", "b", "two");
    expect([await cache.read("/a"), await cache.read("/b")]).toEqual(["one", "two"]);
    const inodes = [cache.inode("a"), cache.inode("b")];
    cache.remote(
      rename(oid("a"), "a", "t"),
      rename(oid("b"), "b", "a"),
      rename(oid("a"), "t", "b"),
    );

    expect([cache.inode("b"), cache.inode("a")]).toEqual(inodes);
    expect([await cache.read("/a"), await cache.read("/b")]).toEqual(["two", "one"]);
    expect(cache.fetchCount).toBe(2);
    expect(cache.notified).toContain("entry 1 a");
    expect(cache.notified).toContain("entry 1 b");
  });

  test("a renamed directory is one rename: what is in it stays, open files too", async () => {
    cache.remote(mkdir(oid("d"), "d"));
    remoteFile("f", "f", "text", oid("d"));
    await cache.read("/d/f");
    const inode = cache.inode("d/f");
    const { fd } = await cache.fs.open(cache.node("/d/f"), 0, CALLER);
    cache.remote(rename(oid("d"), "d", "e"));

    expect(cache.find("/d")).toBeUndefined();
    expect(cache.inode("e/f")).toBe(inode);
    expect(readDescriptor(fd)).toBe("text");
    expect(await cache.read("/e/f")).toBe("text");
    expect(cache.fetchCount).toBe(1);
  });

  test("a directory moves into one that nobody looked at, with its contents", async () => {
    cache.remote(mkdir(oid("d"), "d"), mkdir(oid("e"), "e"), create(oid("9"), "other", oid("e")));
    remoteFile("f", "f", "text", oid("d"));
    await cache.read("/d/f");
    cache.remote(rename(oid("d"), "d", "d2", ROOT_OID, oid("e")));

    expect(existsSync(join(cache.cacheDir, "tree", "e", "d2", "f"))).toBe(true);
    expect(cache.list("/e")).toEqual(["d2", "other"]);
    expect(await cache.read("/e/d2/f")).toBe("text");
    expect(cache.fetchCount).toBe(1);
  });

  test("a directory and its parent that change places", async () => {
    cache.remote(mkdir(oid("d"), "d"), mkdir(oid("e"), "e", oid("d")));
    remoteFile("f", "f", "text", oid("e"));
    await cache.read("/d/e/f");
    cache.remote(
      rename(oid("e"), "e", "e", oid("d"), ROOT_OID),
      rename(oid("d"), "d", "d", ROOT_OID, oid("e")),
    );
    expect(cache.list("/e")).toEqual(["d", "f"]);
    expect(await cache.read("/e/f")).toBe("text");
    expect(cache.fetchCount).toBe(1);
  });

  test("a removed directory goes with all that is in it", () => {
    cache.remote(mkdir(oid("d"), "d"), create(oid("f"), "f", oid("d")));
    cache.node("/d/f");
    cache.remote(unlink(oid("f"), "f", oid("d")), rmdir(oid("d"), "d"));
    expect(cache.list("/")).toEqual([]);
  });

  test("[C5] a directory that was removed here returns with what others moved into it, and what is written there", async () => {
    cache.remote(mkdir(oid("d"), "d"), mkdir(oid("e"), "e"));
    remoteFile("f", "f", "text", oid("e"));
    await cache.write("/e/f", "mine");
    const [fd, node] = await cache.openForWriting("/e/g");
    cache.writeTo(node, fd, "mine too", 0);
    cache.fs.rmdir(...cache.place("/d"), CALLER);
    cache.remote(rename(oid("e"), "e", "e", ROOT_OID, oid("d")));
    expect(cache.list("/")).toEqual(["d"]);
    expect(await cache.read("/d/e/f")).toBe("mine");
    cache.close(node, fd);
    await cache.write("/d/e/h", "mine, later");

    await cache.push();
    expect(cache.pending).toEqual([]);
    expect(cache.list("/d/e")).toEqual(["f", "g", "h"]);
    const texts = ["f", "g", "h"].map((name) => cache.read(`/d/e/${name}`));
    expect(await Promise.all(texts)).toEqual(["mine", "mine too", "mine, later"]);
    expect(cache.fetchCount).toBe(0);
  });

  test("a move to a place that does not exist is not taken, and what was written here stays", async () => {
    cache.remote(mkdir(oid("e"), "e"), mkdir(oid("f"), "f", oid("e")));
    await cache.write("/e/f/g", "mine");
    const move = rename(oid("e"), "e", "e", ROOT_OID, oid("99"));
    expect(() => cache.remote(move)).toThrow(
      "into 00000000000000000000000000000099, which was never",
    );
    expect(cache.list("/")).toEqual(["e"]);
    await cache.push();
    expect(cache.pending).toEqual([]);
    expect([...cache.contents.values()].map(String)).toEqual(["mine"]);
  });

  test("counts names in directories that nobody has looked at, before and after somebody does", async () => {
    const count = (path: string): number => cache.fs.getattr(cache.node(path)).nlink;
    for (const name of ["d", "e"]) cache.remote(mkdir(oid(name), name));
    remoteFile("a", "a", "text");
    cache.remote(linkIn("d", "b"), linkIn("d", "c"));
    expect(count("/a")).toBe(3);
    cache.notified.length = 0;
    cache.remote(linkIn("e", "f"));
    expect(cache.notified).toContainEqual(expect.stringMatching(/^node /));
    expect(count("/a")).toBe(4);
    cache.list("/d");
    expect(count("/a")).toBe(4);
    expect(count("/d/b")).toBe(4);
    await cache.restart();
    expect(count("/a")).toBe(4);
    cache.remote({ ...unlink(oid("a"), "f", oid("e")), isLastName: false } as ReplicatedOperation);
    expect(count("/a")).toBe(3);
    cache.unlink("/d/c");
    expect(count("/a")).toBe(2);
    cache.list("/e");
    expect(count("/a")).toBe(2);
  });

  test("counts them also for the inode that another content brings", async () => {
    cache.remote(mkdir(oid("d"), "d"));
    remoteFile("a", "a", "one");
    cache.remote(linkIn("d", "again"));
    expect(await cache.read("/a")).toBe("one");
    cache.remote(content(oid("a"), cache.store("others"), "others".length));
    expect(cache.fs.getattr(cache.node("/a"))).toMatchObject({ nlink: 2 });
    expect(await cache.read("/a")).toBe("others");
    expect(cache.fs.getattr(cache.node("/a"))).toMatchObject({ nlink: 2 });
  });

  test("a second name that nobody has met since the start gets the inode of another content, too", async () => {
    cache.remote(mkdir(oid("d"), "d"));
    remoteFile("a", "a", "one");
    cache.remote(linkIn("d", "again"));
    cache.list("/d");
    expect(await cache.read("/a")).toBe("one");
    await cache.restart();
    expect(cache.find("/a")).toBeDefined();
    cache.remote(content(oid("a"), cache.store("others"), "others".length));
    expect(cache.fs.getattr(cache.node("/d/again"))).toMatchObject({ nlink: 2, size: 6 });
    expect(await cache.read("/a")).toBe("others");
    expect(cache.inode("a")).toBe(cache.inode("d/again"));
    expect(cache.fs.getattr(cache.node("/a"))).toMatchObject({ nlink: 2 });
  });

  test("a second name shares the inode, in whichever order they are looked at", async () => {
    cache.remote(mkdir(oid("d"), "d"));
    remoteFile("a", "a", "text");
    cache.remote(linkIn("d", "b"));
    expect(await cache.read("/d/b")).toBe("text");
    expect(cache.node("/a")).toBe(cache.node("/d/b"));
    expect(cache.inode("a")).toBe(cache.inode("d/b"));
    expect(await cache.read("/a")).toBe("text");
    // The kernel knows how many names it has under each of them.
    cache.notified.length = 0;
    cache.remote({ ...unlink(oid("a"), "b", oid("d")), isLastName: false } as ReplicatedOperation);
    expect(cache.notified).toContain(`node ${cache.node("/a")}`);
    expect(cache.fetchCount).toBe(1);
  });

  test("[D1] a second name of a symlink or a FIFO shares the inode, and its attributes", () => {
    const mode = constants.S_IFIFO | 0o600;
    const made = { parent: ROOT_OID, uid: 1000, gid: 1000, mtimeNs: 5n, conflict: null };
    cache.remote(
      {
        opcode: "SYMLINK",
        oid: oid("a"),
        name: parseName("a"),
        path: "/a",
        target: "t",
        mode: 0o777,
        ...made,
      },
      { opcode: "MKNOD", oid: oid("b"), name: parseName("b"), path: "/b", mode, rdev: 0, ...made },
    );
    for (const id of ["a", "b"]) {
      const [name, path] = [parseName(`${id}2`), `/${id}2`];
      cache.remote({ opcode: "LINK", oid: oid(id), parent: ROOT_OID, name, path, conflict: null });
      expect(cache.node(`/${id}`)).toBe(cache.node(path));
      expect(cache.inode(id)).toBe(cache.inode(`${id}2`));
      expect(cache.fs.getattr(cache.node(path)).nlink).toBe(2);
    }
    const attributes = { base: NO_RECNO, mode: 0o640, uid: 1000, gid: 1000 };
    cache.remote({ opcode: "SETATTR", oid: oid("b"), path: "/b", attributes, times: null });
    expect(cache.fs.getattr(cache.node("/b")).mode).toBe(constants.S_IFIFO | 0o640);
  });
});

describe("contents", () => {
  test("[C3] another peer's content is a new node; open descriptors keep the old", async () => {
    remoteFile("a", "a", "old");
    const node = cache.node("/a");
    const { fd } = await cache.fs.open(node, 0, CALLER);
    cache.remote(content(oid("a"), cache.store("newer"), 5));

    expect(readDescriptor(fd)).toBe("old");
    expect(cache.node("/a")).not.toBe(node);
    expect(cache.fs.getattr(cache.node("/a")).sizeBytes).toBe(5);
    expect(cache.fs.getattr(node, fd).sizeBytes).toBe(3);
    expect(cache.fs.getattr(node, fd).ino).not.toBe(cache.fs.getattr(cache.node("/a")).ino);
    expect(await cache.read("/a")).toBe("newer");
  });

  test("the inode number stays when content is fetched and replaced", async () => {
    remoteFile("a", "a", "old");
    const { ino } = cache.fs.getattr(cache.node("/a"));
    await cache.read("/a");
    expect(cache.fs.getattr(cache.node("/a")).ino).toBe(ino);
  });

  test("[C4] in a replica the old content stays until the new one was fetched", async () => {
    await cache[Symbol.asyncDispose]();
    cache = await TestCache.open({ isReplica: true });
    remoteFile("a", "a", "old");
    await cache.read("/a");
    cache.isOnline = false;
    cache.remote(content(oid("a"), cache.store("newer"), 5));
    expect(await cache.read("/a")).toBe("old");
    expect(cache.fs.getattr(cache.node("/a")).sizeBytes).toBe(3);
    cache.isOnline = true;
    await cache.local.content.fetch(oid("a"), new AbortController().signal);
    expect(await cache.read("/a")).toBe("newer");
    expect(cache.fs.getattr(cache.node("/a")).mtimeNs).toBe(1_700_000_000_123_456_789n);
  });

  test("offline, what is not here is EHOSTUNREACH, and what is here is read", async () => {
    remoteFile("a", "a", "here");
    remoteFile("b", "b", "there");
    await cache.read("/a");
    cache.isOnline = false;
    expect(await cache.read("/a")).toBe("here");
    await expect(cache.read("/b")).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    // Nothing is needed of a content that ends here.
    await cache.write("/b", "mine");
    expect(await cache.read("/b")).toBe("mine");
  });

  test("an own content that is in no inode any more is waited for until it is sent", async () => {
    await cache.write("/a", "mine");
    cache.seal();
    const { oid: own } = cache.form.readMark(pathOfA())!;
    cache.form.writeMark(pathOfA(), { oid: own, holding: { state: "absent" } });
    await cache.restart();
    const { source } = cache;
    let asked = 0;
    cache.source = {
      fetchContent: (...request) => {
        asked += 1;
        const unknown = new ProblemError("unknown-content", "no file has it", {});
        if (asked < 3) return Promise.reject(new RemoteProblemError(problemOf(unknown)));
        return source.fetchContent(...request);
      },
    };
    cache.store("mine");
    expect(await cache.read("/a")).toBe("mine");
    expect(asked).toBe(3);
  });

  test("a content that no server ever got is not asked for any more once the object has another one", async () => {
    remoteFile("a", "a", "first");
    const { source } = cache;
    let asked = 0;
    cache.source = {
      fetchContent: (...request) => {
        asked += 1;
        if (asked > 1) return source.fetchContent(...request);
        cache.remote(content(oid("a"), cache.store("second"), "second".length));
        const unknown = new ProblemError("unknown-content", "no file has it", {});
        return Promise.reject(new RemoteProblemError(problemOf(unknown)));
      },
    };
    expect(await cache.read("/a")).toBe("second");
    expect(asked).toBe(2);
  });

  test("a fetch and a listing leave all times as they were", async () => {
    cache.remote(mkdir(oid("d"), "d"));
    remoteFile("a", "a", "text", oid("d"));
    const times = (path: string) => {
      const { mtimeNs, ctimeNs, ino } = cache.fs.getattr(cache.node(path));
      return { mtimeNs, ctimeNs, ino };
    };
    const directory = times("/d");
    const file = times("/d/a");
    await cache.read("/d/a");
    expect(times("/d")).toEqual(directory);
    expect(times("/d/a")).toEqual(file);
    await cache.restart();
    expect(times("/d")).toEqual(directory);
    expect(times("/d/a")).toEqual(file);
    await cache.fs.setattr(cache.node("/d/a"), { mode: 0o600 }, CALLER);
    expect(times("/d/a").ctimeNs).toBeGreaterThan(file.ctimeNs);
  });

  test("an open whose file gives way to another while it comes leaves nothing to wait for to the next", async () => {
    remoteFile("a", "a", "one");
    const { source } = cache;
    const held = Promise.withResolvers<void>();
    cache.source = {
      fetchContent: async (...asked) => {
        await held.promise;
        return source.fetchContent(...asked);
      },
    };
    const opening = cache.fs.open(cache.node("/a"), 0, CALLER);
    cache.remote(unlink(oid("a"), "a"));
    remoteFile("b", "a", "two");
    held.resolve();
    // The kernel looks the path up again, and does so once.
    await expect(opening).rejects.toMatchObject({ code: "ESTALE" });
    const node = cache.node("/a");
    const again = cache.fs.open(node, 0, CALLER);
    expect(again).not.toBeInstanceOf(Promise);
    const { fd } = await again;
    expect(readDescriptor(fd)).toBe("two");
    cache.fs.release(node, fd);
  });

  test("several opens wait for one fetch", async () => {
    remoteFile("a", "a", "text");
    expect(await Promise.all([cache.read("/a"), cache.read("/a"), cache.read("/a")])).toEqual([
      "text",
      "text",
      "text",
    ]);
    expect(cache.fetchCount).toBe(1);
  });

  test("wrong bytes are asked for once more, then refused, and never shown", async () => {
    remoteFile("a", "a", "text");
    for (const sha256 of cache.contents.keys()) cache.contents.set(sha256, Buffer.from("evil"));
    await expect(cache.read("/a")).rejects.toMatchObject({ code: "EIO" });
    expect(cache.fetchCount).toBe(2);
    expect(readdirSync(join(cache.cacheDir, "staging"))).toEqual([]);
  });

  test("attributes and time change in place", async () => {
    remoteFile("a", "a", "text");
    await cache.read("/a");
    const inode = cache.inode("a");
    cache.remote({
      opcode: "SETATTR",
      oid: oid("a"),
      path: "/a",
      attributes: { base: 0 as never, mode: 0o4711, uid: 3, gid: 4 },
      times: { contentBase: 0 as never, mtimeNs: 5n },
    });
    expect(cache.inode("a")).toBe(inode);
    expect(cache.fs.getattr(cache.node("/a"))).toMatchObject({
      mode: 0o104711,
      ...(TestCache.showsOwners ? { uid: 3, gid: 4 } : { uid: CALLER.uid, gid: CALLER.gid }),
      mtimeNs: 5n,
    });
  });
});

describe("placeholders", () => {
  test("one that is made another size keeps the time of the content that it stands for", () => {
    remoteFile("a", "a", "text");
    cache.list("/");
    const { mtimeNs } = cache.fs.getattr(cache.node("/a"));
    // Written and saved again within one tick of the clock: the time is the same.
    cache.remote(content(oid("a"), cache.store("longer text"), 11));
    expect(cache.fs.getattr(cache.node("/a"))).toMatchObject({ sizeBytes: 11, mtimeNs });
  });
});

describe("conflicts", () => {
  test("a content that comes to be another object's takes that one's attributes and time", async () => {
    remoteFile("a", "a", "same");
    remoteFile("b", "b", "same");
    const attributes = { base: NO_RECNO, mode: 0o751, uid: 1000, gid: 1000 };
    const times = { contentBase: NO_RECNO, mtimeNs: 5n };
    cache.remote({ opcode: "SETATTR", oid: oid("a"), path: "/a", attributes, times });
    await cache.read("/a");
    cache.list("/");
    const node = cache.node("/a");
    const shown = cache.fs.getattr(cache.node("/b"));
    cache.local.content.apply({
      names: [],
      objects: [],
      moves: [{ from: oid("a"), to: oid("b") }],
    });
    expect(cache.node("/b")).toBe(node);
    const { mode, mtimeNs } = cache.fs.getattr(node);
    expect({ mode, mtimeNs }).toEqual({ mode: shown.mode, mtimeNs: shown.mtimeNs });
  });

  test("an edit that was saved over is shown with what it was sealed with, also where others have moved its file", async () => {
    remoteFile("a", "a", "one");
    await cache.write("/a", "edited");
    await cache.write("/t", "a longer text");
    cache.rename("/t", "/a");
    cache.remote(rename(oid("a"), "a", "e"));
    expect(cache.fs.getattr(cache.node("/e")).sizeBytes).toBe("edited".length);
    cache.seal();
    const { sizeBytes, mtimeNs } = cache.fs.getattr(cache.node("/a"));
    expect(sizeBytes).toBe("a longer text".length);
    expect(cache.fs.getattr(cache.node("/e"))).toMatchObject({ sizeBytes, mtimeNs });
    await cache.push();
    expect(cache.fs.getattr(cache.node("/e"))).toMatchObject({ sizeBytes, mtimeNs });
    expect(await cache.read("/e")).toBe("a longer text");
  });

  test("an inode that gets its names back for what is written there has the attributes of its object", async () => {
    remoteFile("a", "a", "base");
    await cache.read("/a");
    const node = cache.node("/a");
    const { fd } = await cache.fs.open(node, 2, CALLER);
    cache.remote(content(oid("a"), cache.store("theirs"), 6));
    const attributes = { base: NO_RECNO, mode: 0o751, uid: 1000, gid: 1000 };
    cache.remote({ opcode: "SETATTR", oid: oid("a"), path: "/a", attributes, times: null });
    expect(cache.node("/a")).not.toBe(node);
    cache.writeTo(node, fd, "mine", 0);
    cache.close(node, fd);
    await cache.assertTidy();
    expect(cache.node("/a")).toBe(node);
    expect(cache.fs.getattr(node).mode & 0o7777).toBe(0o751);
  });

  test("[C3] the local content moves to the copy, and open descriptors write to it", async () => {
    remoteFile("a", "a", "base");
    await cache.read("/a");
    const [fd, node] = await cache.openForWriting("/a");
    cache.writeTo(node, fd, "mine", 0);
    cache.fs.flush(node, fd);
    // The other's edit arrives while ours waits: it moves the authoritative tree only.
    cache.remote(content(oid("a"), cache.store("theirs"), 6));
    expect(await cache.read("/a")).toBe("mine");
    cache.close(node, fd);
    await cache.push();

    const [copy] = cache.list("/").filter((name) => name.includes(".conflict-"));
    expect(await cache.read("/a")).toBe("theirs");
    expect(await cache.read(`/${copy}`)).toBe("mine");
    expect(cache.node(`/${copy}`)).toBe(node);
  });

  test.each(["together", "one after the other"])(
    "a save that turns out to be a move has what others have written to the file meanwhile: %s",
    async (how) => {
      remoteFile("a", "a", "base");
      await cache.read("/a");
      await cache.write("/saved", "mine");
      await cache.push();
      const saved = cache.replica.visible.entry(ROOT_OID, parseName("saved"))!.oid;
      cache.rename("/saved", "/a");
      const edit = content(saved, cache.store("theirs"), 6);
      const away = rename(oid("a"), "a", "elsewhere");
      if (how === "together") cache.remote(edit, away);
      else for (const each of [edit, away]) cache.remote(each);
      await cache.push();
      expect(await cache.read("/a")).toBe("theirs");
      expect(await cache.read("/elsewhere")).toBe("base");
    },
  );

  test("descriptors that stay open over the outcome write to the copy", async () => {
    remoteFile("a", "a", "base");
    await cache.write("/a", "mine");
    cache.remote(content(oid("a"), cache.store("theirs"), 6));
    cache.seal();
    const node = cache.node("/a");
    const { fd } = await cache.fs.open(node, 1, CALLER);
    await cache.push();
    cache.writeTo(node, fd, "mine, later", 0);
    cache.close(node, fd);

    const [copy] = cache.list("/").filter((name) => name.includes(".conflict-"));
    expect(cache.pending).toEqual([`CLOSE /${copy}`]);
    expect(await cache.read(`/${copy}`)).toBe("mine, later");
    await cache.push();
    expect(await cache.read("/a")).toBe("theirs");
    expect(await cache.read(`/${copy}`)).toBe("mine, later");
  });

  test("an edit that is under way when another arrives is logged as one of its own base", async () => {
    remoteFile("a", "a", "base");
    await cache.read("/a");
    const base = cache.replica.position.recno;
    const { fd } = await cache.fs.open(cache.node("/a"), 2, CALLER);
    const node = cache.node("/a");
    cache.writeTo(node, fd, "mine", 0);
    cache.remote(content(oid("a"), cache.store("theirs"), 6));
    expect(cache.replica.pending.unsent[0]?.operation).toMatchObject({ contentBase: base });
    expect(await cache.read("/a")).toBe("mine");
    cache.close(node, fd);
    await cache.push();
    const [copy] = cache.list("/").filter((name) => name.includes(".conflict-"));
    expect([await cache.read("/a"), await cache.read(`/${copy}`)]).toEqual(["theirs", "mine"]);
  });

  test("a writer that was idle when another content came still writes an edit", async () => {
    remoteFile("a", "a", "base");
    const node = cache.node("/a");
    const { fd } = await cache.fs.open(node, 2, CALLER);
    cache.remote(content(oid("a"), cache.store("theirs"), 6));
    expect(await cache.read("/a")).toBe("theirs");
    cache.writeTo(node, fd, "mine", 0);
    cache.fs.flush(node, fd);
    expect(await cache.read("/a")).toBe("mine");
    cache.fs.release(node, fd);
    await cache.push();
    const [copy] = cache.list("/").filter((name) => name.includes(".conflict-"));
    expect([await cache.read("/a"), await cache.read(`/${copy}`)]).toEqual(["theirs", "mine"]);
  });

  test("a writer keeps what another has removed, once he writes", async () => {
    remoteFile("a", "a", "base");
    const node = cache.node("/a");
    const { fd } = await cache.fs.open(node, 2, CALLER);
    cache.remote(unlink(oid("a"), "a"));
    expect(cache.find("/a")).toBeUndefined();
    cache.writeTo(node, fd, "mine", 0);
    cache.close(node, fd);
    expect(await cache.read("/a")).toBe("mine");
    await cache.push();
    expect(await cache.read("/a")).toBe("mine");
  });

  test("a writer that never writes leaves nothing behind", async () => {
    remoteFile("a", "a", "base");
    const node = cache.node("/a");
    const { fd } = await cache.fs.open(node, 2, CALLER);
    cache.remote(content(oid("a"), cache.store("theirs"), 6));
    cache.close(node, fd);
    expect(cache.pending).toEqual([]);
    expect(await cache.read("/a")).toBe("theirs");
  });

  test("create and create: the later becomes a copy with its content", async () => {
    await cache.write("/a", "mine");
    cache.remote(create(oid("a"), "a"), content(oid("a"), cache.store("theirs"), 6));
    expect(await cache.read("/a")).toBe("mine");
    await cache.push();
    const [copy] = cache.list("/").filter((name) => name.includes(".conflict-"));
    expect([await cache.read("/a"), await cache.read(`/${copy}`)]).toEqual(["theirs", "mine"]);
  });

  test("[C8] a name that was used here and left again shows what others made under it once that is left out", async () => {
    await cache.write("/a", "mine");
    cache.seal();
    cache.unlink("/a");
    remoteFile("a", "a", "theirs");
    expect(cache.list("/")).toEqual([]);
    await cache.push();
    expect(cache.pending).toEqual([]);
    expect(await cache.read("/a")).toBe("theirs");
  });

  test("mkdir and mkdir merge, with what is in both", async () => {
    cache.mkdir("/d");
    await cache.write("/d/mine", "mine");
    cache.remote(mkdir(oid("d"), "d"));
    remoteFile("f", "theirs", "theirs", oid("d"));
    await cache.push();
    expect(cache.list("/d")).toEqual(["mine", "theirs"]);
    expect([await cache.read("/d/mine"), await cache.read("/d/theirs")]).toEqual([
      "mine",
      "theirs",
    ]);
  });
});

describe("extended attributes", () => {
  test("what is set and removed elsewhere is set and removed here, access lists too", () => {
    cache.remote(create(oid("a"), "a"));
    cache.list("/");
    cache.remote(
      setXattr("user.colour", Buffer.from("red")),
      setXattr("system.posix_acl_access", ACCESS_LIST),
    );
    expect(xattrNames()).toEqual(["system.posix_acl_access", "user.colour"]);
    cache.remote(removeXattr("user.colour"), removeXattr("system.posix_acl_access"));
    expect(xattrNames()).toEqual([]);
  });

  test("a server has no say over the mark, nor over what belongs to this machine", () => {
    cache.remote(create(oid("a"), "a"));
    cache.remote(
      setXattr(cache.markName, Buffer.from("forged")),
      setXattr("trusted.note", Buffer.of(1)),
    );
    cache.list("/");
    const mark = lgetxattr(pathOfA(), cache.markName);
    lsetxattr(pathOfA(), "trusted.own", Buffer.of(1));
    cache.remote(
      setXattr(cache.markName, Buffer.from("forged again")),
      setXattr("user.a", Buffer.of(1)),
    );
    expect(lgetxattr(pathOfA(), cache.markName)).toEqual(mark);
    expect(xattrNames()).toEqual(["trusted.own", "user.a"]);
  });
});
