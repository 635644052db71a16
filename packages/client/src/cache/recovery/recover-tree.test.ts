import {
  closeSync,
  openSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import type { CloseOperation, PendingRecord, Recno } from "@izo/core";
import { AT_FDCWD, fallocate, utimensat } from "@izo/sys";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { CALLER, oid, remoteOperations, TestCache } from "../../testing/test-cache.ts";
import { ABSENT, WHOLE } from "../inode/object-mark.ts";

const { content, create, mkdir, rename, unlink } = remoteOperations;
const ACTOR = { uid: 1000, gid: 1000, groups: [], command: "test" };

/** As every content that arrives from the tests' server has it. */
const SERVER_MTIME_NS = 1_700_000_000_123_456_789n;

let cache: TestCache;

beforeEach(async () => {
  cache = await TestCache.open();
});

afterEach(async () => {
  await cache.assertTidy();
  await cache[Symbol.asyncDispose]();
});

const onDisk = (...names: string[]) => join(cache.cacheDir, "tree", ...names);

/** A file of the server with this content, named as its object. */
function remoteFile(name: string, text: string): void {
  const sha256 = cache.store(text);
  cache.remote(create(oid(name), name), content(oid(name), sha256, text.length));
}

/** The own record that the mark of `/a` names. */
function markedRecord(): string | undefined {
  const holding = cache.form.readMark(onDisk("a"))?.holding;
  const base = holding?.state === "local" ? holding.base : 0;
  if (typeof base === "number") return undefined;
  return cache.replica.pending.unsentRecord(base.recno)?.operation.opcode;
}

/** Contents of what was put aside, by name. */
function rescued(): Record<string, string> {
  const dir = join(cache.cacheDir, "rescue");
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((at) =>
    at.isFile(),
  );
  return Object.fromEntries(
    files.map(({ name, parentPath }) => [name, readFileSync(join(parentPath, name), "utf8")]),
  );
}

/** Every problem so far said that something was put aside. */
function takeReports(): string[] {
  return cache.problems.splice(0).map((problem) => (problem as { code: string }).code);
}

async function crash(): Promise<void> {
  await cache.kill();
  await cache.start();
}

/** The position moves and the process ends before the cache tree follows. */
async function cutOff(run: () => void): Promise<void> {
  cache.local.content.apply = () => {};
  run();
  await crash();
}

test("a clean stop is not looked into; a kill is", async () => {
  await cache.write("/a", "1");
  await cache.restart();
  expect(cache.local.recovered).toBeUndefined();
  await crash();
  expect(cache.local.recovered).toEqual({ completed: 0, logged: [], dropped: [] });
  expect(await cache.read("/a")).toBe("1");
  expect(cache.pending).toEqual(["CREATE /a", "CLOSE /a"]);
});

describe("[D9] the mark of a new file that was closed names its creation", () => {
  beforeEach(() => cache.write("/a", "mine"));

  test("until it is sealed", () => {
    expect(markedRecord()).toBe("CREATE");
    cache.seal();
    expect(markedRecord()).toBe("CLOSE");
  });

  test("until it is closed again", async () => {
    await cache.write("/a", "mine, too");
    expect(markedRecord()).toBe("CLOSE");
  });

  test("until the cache is closed, which leaves nothing to repair", async () => {
    await cache.restart();
    expect(cache.local.recovered).toBeUndefined();
    expect(markedRecord()).toBe("CLOSE");
    expect(cache.pending).toEqual(["CREATE /a", "CLOSE /a"]);
  });

  test("after a kill, and recovery finds its record by that", async () => {
    await crash();
    expect(markedRecord()).toBe("CLOSE");
    expect(cache.pending).toEqual(["CREATE /a", "CLOSE /a"]);
    await cache.push();
    const { oid: made } = cache.form.readMark(onDisk("a"))!;
    expect(cache.replica.authoritative.object(made)?.sha256).toBe(cache.store("mine"));
  });
});

describe("[C6] an operation that was logged and not done is done", () => {
  beforeEach(async () => {
    await cache.write("/a", "text");
    cache.mkdir("/d");
    await cache.write("/d/f", "in d");
  });

  test("rename", async () => {
    const inode = cache.inode("a");
    cache.rename("/a", "/b");
    renameSync(onDisk("b"), onDisk("a"));
    await crash();
    expect(cache.list("/")).toEqual(["b", "d"]);
    expect(cache.inode("b")).toBe(inode);
    expect(await cache.read("/b")).toBe("text");
    expect(cache.local.recovered?.logged).toEqual([]);
  });

  test("rename of a directory", async () => {
    cache.rename("/d", "/e");
    renameSync(onDisk("e"), onDisk("d"));
    await crash();
    expect(cache.list("/")).toEqual(["a", "e"]);
    expect(await cache.read("/e/f")).toBe("in d");
  });

  test("unlink", async () => {
    const inode = lstatSync(onDisk("a"));
    await cache.push();
    cache.unlink("/a");
    writeFileSync(onDisk("a"), "text");
    // The mark went with the inode: put one back as a crash would have left it.
    expect(inode.isFile()).toBe(true);
    const removed = cache.replica.pending.unsent.at(-1)?.operation;
    if (removed?.opcode !== "UNLINK") throw new Error("Cannot find the UNLINK");
    cache.form.writeMark(onDisk("a"), {
      oid: removed.oid,
      holding: { state: "local", base: 0 as never },
    });
    await crash();
    expect(cache.list("/")).toEqual(["d"]);
  });

  test("create, mkdir and symlink of which nothing was made", async () => {
    rmSync(onDisk("a"));
    rmSync(onDisk("d"), { recursive: true });
    await cache.kill();
    await cache.start();
    // Absence is never a removal: the names are there, the content of /a only if it was sealed.
    expect(cache.list("/")).toEqual(["a", "d"]);
    expect(cache.list("/d")).toEqual(["f"]);
    expect(cache.pending.filter((line) => line.startsWith("UNLINK"))).toEqual([]);
  });

  test("[D9] unlink that had not taken back the open CLOSE", async () => {
    cache.replica.cancel = () => ({ names: [], objects: [], moves: [] });
    cache.unlink("/a");
    expect(cache.pending).toContain("CLOSE /a");
    await crash();
    expect(cache.pending).toEqual([
      "CREATE /a",
      "MKDIR /d",
      "CREATE /d/f",
      "CLOSE /d/f",
      "UNLINK /a",
    ]);
  });

  test("create that was cut off before its record: an empty file was made", async () => {
    const before = cache.pending;
    writeFileSync(onDisk("new"), "");
    await crash();
    expect(await cache.read("/new")).toBe("");
    expect(cache.pending.slice(0, before.length)).toEqual(before);
    expect(cache.pending.slice(before.length)[0]).toBe("CREATE /new");
  });

  test("create that was cut off before the mark", async () => {
    cache.dropMark(onDisk("a"));
    await crash();
    expect(await cache.read("/a")).toBe("text");
    expect(cache.local.recovered?.logged).toEqual([]);
  });

  test.runIf(TestCache.showsOwners)("chmod, chown", async () => {
    await cache.fs.setattr(cache.node("/a"), { uid: 5, mode: 0o600 }, CALLER);
    chownSync(onDisk("a"), 1000, 1000);
    await crash();
    expect(cache.fs.getattr(cache.node("/a"))).toMatchObject({ uid: 5, mode: 0o100600 });
  });

  test("atomic save", async () => {
    await cache.write("/a.tmp", "newer");
    const saved = cache.replica.visible.entry(oid("1"), "a" as never)?.oid;
    const [parent, name] = cache.place("/a.tmp");
    const temporary = cache.replica.visible.entry(oid("1"), name)!;
    const victim = cache.replica.visible.object(saved!)!;
    expect(parent).toBe(1);
    cache.replica.record(
      {
        opcode: "RENAME",
        oid: temporary.oid,
        contentBase: cache.replica.visible.object(temporary.oid)!.contentVersion,
        fromParent: oid("1"),
        fromName: name,
        fromPath: "/a.tmp",
        fromBase: temporary.version,
        toParent: oid("1"),
        toName: "a" as never,
        toPath: "/a",
        victim: { oid: victim.oid, contentBase: victim.contentVersion, isLastName: true },
        keepsOid: true,
        conflict: null,
      },
      ACTOR,
    );
    await crash();
    expect(cache.list("/")).toEqual(["a", "d"]);
    expect(await cache.read("/a")).toBe("newer");
    expect(cache.replica.visible.entry(oid("1"), "a" as never)?.oid).toBe(saved);
  });
});

describe("[C6] what no record explains becomes one", () => {
  test("a file that was being written", async () => {
    await cache.write("/a", "1");
    await cache.push();
    const head = cache.replica.position.recno;
    const { fd } = await cache.fs.open(cache.node("/a"), 2, CALLER);
    cache.writeTo(cache.node("/a"), fd, "written, not closed", 0);
    await crash();
    expect(cache.local.recovered?.logged).toEqual(["/a"]);
    expect(cache.replica.pending.unsent.at(-1)?.operation).toMatchObject({
      opcode: "CLOSE",
      contentBase: head,
      sizeBytes: 19,
    });
    expect(await cache.read("/a")).toBe("written, not closed");
    await cache.push();
    expect(cache.list("/")).toEqual(["a"]);
  });

  test("names whose records were lost with the end of the log", async () => {
    cache.mkdir("/d");
    mkdirSync(onDisk("d", "new"));
    writeFileSync(onDisk("d", "new", "f"), "text");
    symlinkSync("f", onDisk("d", "new", "l"));
    cache.form.writeMark(onDisk("d", "new"), { oid: oid("abc"), holding: WHOLE });
    await crash();
    expect(cache.list("/d/new")).toEqual(["f", "l"]);
    expect(await cache.read("/d/new/f")).toBe("text");
    expect(cache.pending).toEqual([
      "MKDIR /d",
      "MKDIR /d/new",
      "CREATE /d/new/f",
      "CLOSE /d/new/f",
      "SYMLINK /d/new/l",
    ]);
  });
});

test("[C6] a number that the log lost with its end is not taken for the record that has it next", async () => {
  const names = ["a", "b"];
  for (const name of names) remoteFile(name, "base");
  for (const name of names) {
    await cache.read(`/${name}`);
    writeFileSync(onDisk(name), `written to ${name}`);
    // Recovery gives this number to the CLOSE of the file that it comes to first.
    const base = { peer: cache.replica.peer, recno: 1 as Recno };
    cache.form.writeMark(onDisk(name), { oid: oid(name), holding: { state: "local", base } });
  }
  await crash();
  await cache.push();
  for (const name of names) {
    const text = `written to ${name}`;
    expect(await cache.read(`/${name}`)).toBe(text);
    expect(cache.replica.authoritative.object(oid(name))?.sha256).toBe(cache.store(text));
  }
  expect(cache.list("/")).toEqual(names);
});

describe("[C5] a replay that was cut off is finished", () => {
  test("names, directories and removals", async () => {
    cache.remote(mkdir(oid("d"), "d"), create(oid("a"), "a"), create(oid("b"), "b"));
    cache.remote(create(oid("f"), "f", oid("d")), content(oid("f"), cache.store("text"), 4));
    await cache.read("/d/f");
    await cutOff(() =>
      cache.remote(
        rename(oid("d"), "d", "e"),
        rename(oid("a"), "a", "t"),
        rename(oid("b"), "b", "a"),
        rename(oid("a"), "t", "b"),
        create(oid("c"), "c"),
        unlink(oid("b"), "a"),
      ),
    );
    expect(cache.list("/")).toEqual(["b", "c", "e"]);
    expect(await cache.read("/e/f")).toBe("text");
    expect(cache.fetchCount).toBe(1);
    expect(cache.pending).toEqual([]);
  });

  test("another peer's content", async () => {
    cache.remote(create(oid("a"), "a"), content(oid("a"), cache.store("old"), 3));
    await cache.read("/a");
    await cutOff(() => cache.remote(content(oid("a"), cache.store("newer"), 5)));
    expect(await cache.read("/a")).toBe("newer");
    expect(cache.pending).toEqual([]);
  });

  test("a conflict: the local content is in the copy, and nothing is logged twice", async () => {
    cache.remote(create(oid("a"), "a"), content(oid("a"), cache.store("base"), 4));
    await cache.write("/a", "mine");
    cache.remote(content(oid("a"), cache.store("theirs"), 6));
    cache.local.content.apply = () => {};
    await cache.push();
    await crash();
    const [copy] = cache.list("/").filter((name) => name.includes(".conflict-"));
    expect(await cache.read("/a")).toBe("theirs");
    expect(await cache.read(`/${copy}`)).toBe("mine");
    expect(cache.pending).toEqual([]);
    expect(cache.list("/")).toHaveLength(2);
  });

  test("a directory whose entries were made half", async () => {
    cache.remote(create(oid("a"), "a"), create(oid("b"), "b"));
    writeFileSync(onDisk("a"), "");
    await crash();
    expect(cache.list("/")).toEqual(["a", "b"]);
    expect(cache.pending).toEqual([]);
  });
});

test("[C4] a placeholder that lost its size, or its time, is never read as content", async () => {
  remoteFile("a", "text");
  remoteFile("b", "more");
  cache.list("/");
  truncateSync(onDisk("a"), 2);
  utimensat(AT_FDCWD, onDisk("b"), "omit", 7n);
  await crash();
  expect(cache.fs.getattr(cache.node("/a")).sizeBytes).toBe(4);
  expect(cache.fs.getattr(cache.node("/b")).mtimeNs).toBe(SERVER_MTIME_NS);
  expect([await cache.read("/a"), await cache.read("/b")]).toEqual(["text", "more"]);
  expect(cache.pending).toEqual([]);
});

describe("[C4] without a mark nothing is claimed to be here", () => {
  test("a placeholder is fetched, whether its zeros are a hole or were copied as bytes", async () => {
    remoteFile("a", "text");
    remoteFile("b", "more");
    remoteFile("c", "cut off before its size");
    cache.list("/");
    writeFileSync(onDisk("b"), Buffer.alloc(4));
    utimensat(AT_FDCWD, onDisk("b"), "omit", SERVER_MTIME_NS);
    truncateSync(onDisk("c"), 0);
    for (const name of ["a", "b", "c"]) cache.dropMark(onDisk(name));
    await crash();
    expect(cache.fs.getattr(cache.node("/c")).sizeBytes).toBe(23);
    expect([await cache.read("/a"), await cache.read("/b")]).toEqual(["text", "more"]);
    expect(await cache.read("/c")).toBe("cut off before its size");
    expect(cache.pending).toEqual([]);
  });

  test("a content is known by its hash, and not fetched again", async () => {
    remoteFile("a", "text");
    await cache.read("/a");
    cache.dropMark(onDisk("a"));
    await crash();
    expect(await cache.read("/a")).toBe("text");
    expect(cache.fetchCount).toBe(1);
    expect(cache.pending).toEqual([]);
  });

  test("another content, of the same size and time, is kept beside the server's", async () => {
    remoteFile("a", "text");
    await cache.read("/a");
    writeFileSync(onDisk("a"), "mine");
    utimensat(AT_FDCWD, onDisk("a"), "omit", SERVER_MTIME_NS);
    cache.dropMark(onDisk("a"));
    await crash();
    expect(cache.local.recovered?.logged).toEqual(["/a"]);
    expect(cache.pending).toEqual(["CLOSE /a"]);
    expect(await cache.read("/a")).toBe("mine");
    await cache.push();
    const copy = cache.list("/").find((name) => name.includes(".conflict-"));
    expect([await cache.read("/a"), await cache.read(`/${copy}`)]).toEqual(["text", "mine"]);
  });

  test("a placeholder of a file that the index has lost is no file of this machine", async () => {
    cache.list("/");
    writeFileSync(onDisk("ghost"), "");
    truncateSync(onDisk("ghost"), 4);
    cache.form.writeMark(onDisk("ghost"), { oid: oid("abc"), holding: ABSENT });
    await crash();
    expect(cache.list("/")).toEqual([]);
    expect(cache.pending).toEqual([]);
  });

  test("nor is a content that came from the server", async () => {
    cache.list("/");
    const holding = { state: "content", sha256: cache.store("theirs") } as const;
    writeFileSync(onDisk("ghost"), "theirs");
    cache.form.writeMark(onDisk("ghost"), { oid: oid("abc"), holding });
    await crash();
    expect(cache.list("/")).toEqual([]);
    expect(cache.pending).toEqual([]);
  });
});

describe("nothing is removed that the cache does not understand", () => {
  test("a cache that lost all marks is refused, and left as it is", async () => {
    await cache.write("/a", "never pushed");
    await cache.restart();
    const marks = ["", "a"].map(
      (name) => [onDisk(name), cache.form.readMark(onDisk(name))!] as const,
    );
    for (const [path] of marks) cache.dropMark(path);
    await cache.kill();
    await expect(cache.start()).rejects.toMatchObject({ code: "cache-marks-lost" });
    expect(readFileSync(onDisk("a"), "utf8")).toBe("never pushed");
    for (const [path, mark] of marks) cache.form.writeMark(path, mark);
    await cache.replica[Symbol.asyncDispose]();
    await cache.start();
    expect(await cache.read("/a")).toBe("never pushed");
  });

  test("files in a directory that nobody had looked at are put aside, contents keep their place", async () => {
    cache.remote(
      mkdir(oid("d"), "d"),
      create(oid("a"), "a", oid("d")),
      create(oid("b"), "b", oid("d")),
    );
    cache.remote(content(oid("b"), cache.store("text"), 4));
    await cache.read("/d/b");
    cache.form.writeMark(onDisk("d"), { oid: oid("d"), holding: ABSENT });
    writeFileSync(onDisk("d", "a"), "mine");
    cache.dropMark(onDisk("d", "a"));
    mkdirSync(onDisk("d", "sub", "deep"), { recursive: true });
    writeFileSync(onDisk("d", "sub", "deep", "f"), "deep");
    writeFileSync(onDisk("d", "empty"), "");
    await crash();
    expect(cache.list("/d")).toEqual(["a", "b"]);
    expect(await cache.read("/d/b")).toBe("text");
    expect(cache.fetchCount).toBe(1);
    expect(rescued()).toEqual({ a: "mine", f: "deep", empty: "" });
    expect(takeReports()).toEqual(["rescued", "rescued", "rescued"]);
    expect(cache.pending).toEqual([]);
  });

  test("content in limbo without a mark is put aside, a placeholder in the making is removed", async () => {
    const limbo = join(cache.cacheDir, "limbo");
    cache.list("/");
    writeFileSync(join(limbo, "displaced-1"), "mine");
    writeFileSync(join(limbo, "spare-1"), "");
    truncateSync(join(limbo, "spare-1"), 9);
    await crash();
    expect(rescued()).toEqual({ "displaced-1": "mine" });
    expect(takeReports()).toEqual(["rescued"]);
  });
});

/** The machine ends, and starts anew. */
async function losePower(): Promise<void> {
  await cache.kill();
  writeFileSync(join(cache.cacheDir, "in-use"), "another start of the machine");
  await cache.start();
}

/** Fewer bytes under the time of the whole, as metadata is journalled and data is not. */
function tear(path: string, sizeBytes: number): void {
  const { mtimeNs } = lstatSync(path, { bigint: true });
  truncateSync(path, sizeBytes);
  utimensat(AT_FDCWD, path, "omit", mtimeNs);
}

describe("[C6] a record whose content is not on disk after a power cut", () => {
  beforeEach(async () => {
    remoteFile("a", "base");
    await cache.read("/a");
  });

  test("is dropped: what the server has stays", async () => {
    await cache.write("/a", "never written back");
    tear(onDisk("a"), 0);
    await losePower();
    expect(cache.local.recovered?.dropped).toEqual(["/a"]);
    expect(cache.pending).toEqual([]);
    expect(await cache.read("/a")).toBe("base");
  });

  test("is dropped, and a part of it is put aside", async () => {
    await cache.write("/a", "half of it");
    tear(onDisk("a"), 4);
    await losePower();
    expect(cache.pending).toEqual([]);
    expect(await cache.read("/a")).toBe("base");
    expect(rescued()).toEqual({ a: "half" });
    expect(takeReports()).toEqual(["rescued"]);
  });

  test("is dropped where its size and time are there, and its bytes are not", async () => {
    await cache.write("/a", "never written back");
    const { size, mtimeNs } = lstatSync(onDisk("a"), { bigint: true });
    truncateSync(onDisk("a"), 0);
    // As ext4 leaves it: blocks that it has given out, and that nothing was written to.
    const fd = openSync(onDisk("a"), "r+");
    fallocate(fd, 0, 0, Number(size));
    closeSync(fd);
    utimensat(AT_FDCWD, onDisk("a"), "omit", mtimeNs);
    await losePower();
    expect(cache.local.recovered?.dropped).toEqual(["/a"]);
    expect(cache.pending).toEqual([]);
    expect(await cache.read("/a")).toBe("base");
  });

  test("leaves the file empty where one was synced before it: nothing older comes back", async () => {
    const [fd, node] = await cache.openForWriting("/a");
    cache.writeTo(node, fd, "synced", 0);
    await cache.fs.fsync(node, fd, false);
    cache.fs.flush(node, fd);
    cache.fs.release(node, fd);
    await cache.write("/a", "never written back");
    tear(onDisk("a"), 5);
    await losePower();
    expect(cache.local.recovered?.dropped).toEqual(["/a"]);
    expect(await cache.read("/a")).toBe("");
    expect(rescued()).toEqual({ a: "never" });
    expect(takeReports()).toEqual(["rescued"]);
    await cache.push();
    expect(cache.replica.pending.size).toBe(0);
  });

  test("leaves the file empty where one was sealed before it: nothing older comes back", async () => {
    await cache.write("/a", "sealed");
    cache.seal();
    await cache.write("/a", "never written back");
    tear(onDisk("a"), 0);
    await losePower();
    expect(await cache.read("/a")).toBe("");
  });

  test("is dropped with the save of it", async () => {
    await cache.write("/t", "saved, not synced");
    cache.rename("/t", "/a");
    tear(onDisk("a"), 0);
    await losePower();
    expect(cache.pending).toEqual(["CREATE /t"]);
    expect([await cache.read("/a"), await cache.read("/t")]).toEqual(["base", ""]);
  });

  test("is dropped down to a content of this machine that is whole", async () => {
    await cache.write("/new", "");
    await cache.write("/new", "never written back");
    const { operation } = cache.replica.pending.unsent[1]!;
    if (operation.opcode !== "CLOSE") throw new Error("Cannot find the first CLOSE");
    truncateSync(onDisk("new"), 0);
    utimensat(AT_FDCWD, onDisk("new"), "omit", operation.mtimeNs);
    await losePower();
    expect(await cache.read("/new")).toBe("");
    expect(cache.pending).toEqual(["CREATE /new", "CLOSE /new"]);
    await cache.push();
    expect(cache.list("/")).toEqual(["a", "new"]);
  });

  test("of which nothing was logged leaves no empty edit", async () => {
    await cache.write("/b", "1");
    await cache.push();
    const { fd } = await cache.fs.open(cache.node("/b"), 2, CALLER);
    cache.writeTo(cache.node("/b"), fd, "not closed", 0);
    truncateSync(onDisk("b"), 0);
    await losePower();
    expect(cache.pending).toEqual([]);
    expect(await cache.read("/b")).toBe("1");
  });

  test("stays where only the process ended", async () => {
    await cache.write("/a", "written");
    tear(onDisk("a"), 4);
    await crash();
    expect(cache.local.recovered?.logged).toEqual(["/a"]);
    expect(await cache.read("/a")).toBe("writ");
  });

  test("and whose file was written on since becomes an edit", async () => {
    await cache.write("/a", "first");
    writeFileSync(onDisk("a"), "second, and its record is lost");
    await losePower();
    expect(cache.local.recovered?.logged).toEqual(["/a"]);
    expect(await cache.read("/a")).toBe("second, and its record is lost");
  });
});

/** The own log as it is now: the power takes what comes, and leaves what was done. */
function noteLog(): () => Promise<void> {
  const [peer = ""] = readdirSync(join(cache.cacheDir, "kml"));
  const [segment = ""] = readdirSync(join(cache.cacheDir, "kml", peer));
  const path = join(cache.cacheDir, "kml", peer, segment);
  const bytes = readFileSync(path);
  return async () => {
    await cache.kill();
    writeFileSync(path, bytes);
    writeFileSync(join(cache.cacheDir, "in-use"), "another start of the machine");
    await cache.start();
  };
}

const inLimbo = (): string[] => readdirSync(join(cache.cacheDir, "limbo"));

describe("[C6] a content that was removed, and whose removal a power cut took out of the log", () => {
  beforeEach(() => remoteFile("a", "base"));

  test("is there again, after unlink", async () => {
    await cache.write("/new", "only here");
    const losePowerAndLog = noteLog();
    cache.unlink("/new");
    expect(cache.list("/")).toEqual(["a"]);
    await losePowerAndLog();
    expect(await cache.read("/new")).toBe("only here");
    expect(cache.pending).toEqual(["CREATE /new", "CLOSE /new"]);
    await cache.push();
    expect(cache.replica.pending.size).toBe(0);
  });

  test("is there again, after a rename over it", async () => {
    await cache.read("/a");
    await cache.write("/a", "edited");
    await cache.write("/new", "takes its place");
    const losePowerAndLog = noteLog();
    cache.rename("/a", "/new");
    await losePowerAndLog();
    expect([await cache.read("/a"), await cache.read("/new")]).toEqual([
      "edited",
      "takes its place",
    ]);
  });

  test("is gone where the log has its removal", async () => {
    await cache.write("/new", "only here");
    cache.unlink("/new");
    await losePower();
    expect(cache.list("/")).toEqual(["a"]);
    expect(inLimbo()).toEqual([]);
  });

  test("takes no space any more when its removal is durable", async () => {
    await cache.write("/new", "only here");
    cache.unlink("/new");
    expect(inLimbo()).toEqual(["removed-1"]);
    await cache.local.settle();
    expect(inLimbo()).toEqual([]);
  });
});

/** The index as it is now, to be found again by {@link losePower}. */
function noteIndex(): () => Promise<void> {
  const files = readdirSync(cache.cacheDir).filter((name) => name.startsWith("index.sqlite"));
  const noted = files.map((name) => [name, readFileSync(join(cache.cacheDir, name))] as const);
  return async () => {
    await cache.kill();
    for (const name of readdirSync(cache.cacheDir))
      if (name.startsWith("index.sqlite")) rmSync(join(cache.cacheDir, name));
    for (const [name, bytes] of noted) writeFileSync(join(cache.cacheDir, name), bytes);
    writeFileSync(join(cache.cacheDir, "in-use"), "another start of the machine");
    await cache.start();
  };
}

describe("[C6] an edit of a file that the index has lost in a power cut", () => {
  let losePowerAndIndex: () => Promise<void>;

  beforeEach(async () => {
    cache.remote(mkdir(oid("d"), "d"));
    cache.list("/");
    losePowerAndIndex = noteIndex();
    remoteFile("a", "base");
    await cache.read("/a");
  });

  const edits = [
    { description: "closed and not sealed", end: () => cache.write("/a", "mine") },
    {
      description: "sealed",
      end: async () => {
        await cache.write("/a", "mine");
        cache.seal();
      },
    },
    {
      description: "not closed",
      end: async () => {
        const [fd, node] = await cache.openForWriting("/a");
        cache.writeTo(node, fd, "mine", 0);
      },
    },
  ];
  test.each(edits)("waits for the log to bring the file again: $description", async ({ end }) => {
    await end();
    await losePowerAndIndex();
    expect(cache.list("/")).toEqual(["d"]);
    expect(cache.pending).toEqual(["CLOSE /a"]);
    await crash();
    cache.seal();
    expect(cache.pending).toEqual(["CLOSE /a"]);
    remoteFile("a", "base");
    expect(await cache.read("/a")).toBe("mine");
    await cache.push();
    expect(cache.pending).toEqual([]);
    expect(cache.list("/")).toEqual(["a", "d"]);
    expect(cache.replica.authoritative.object(oid("a"))?.sha256).toBe(cache.store("mine"));
  });

  test("waits with what was written after it was closed", async () => {
    await cache.write("/a", "mine");
    const [fd, node] = await cache.openForWriting("/a");
    cache.writeTo(node, fd, "mine, later", 0);
    await losePowerAndIndex();
    expect(cache.pending).toEqual(["CLOSE /a", "CLOSE /a"]);
    cache.seal();
    remoteFile("a", "base");
    expect(await cache.read("/a")).toBe("mine, later");
    await cache.push();
    expect(cache.list("/")).toEqual(["a", "d"]);
    expect(await cache.read("/a")).toBe("mine, later");
  });

  test("is dropped where its bytes are lost too", async () => {
    await cache.write("/a", "half of it");
    tear(onDisk("a"), 4);
    await losePowerAndIndex();
    expect(cache.pending).toEqual([]);
    expect(cache.local.recovered?.dropped).toEqual(["/a"]);
    expect(rescued()).toEqual({ a: "half" });
    expect(takeReports()).toEqual(["rescued"]);
    remoteFile("a", "base");
    expect(await cache.read("/a")).toBe("base");
  });

  test("is dropped when the file comes again and the inode is lost too", async () => {
    await cache.write("/a", "mine");
    rmSync(onDisk("a"));
    await losePowerAndIndex();
    cache.seal();
    expect(cache.pending).toEqual(["CLOSE /a"]);
    remoteFile("a", "base");
    const [{ recno, operation }] = cache.replica.unsealed() as [PendingRecord];
    const close = { recno, operation: operation as CloseOperation };
    expect(cache.local.content.openWritten(close)).toBe("gone");
    cache.replica.cancel(recno);
  });
});

/** The mark is on disk, and of the bytes only the size, as delayed allocation leaves it. */
function takeBytes(path: string): void {
  const { size } = lstatSync(path);
  truncateSync(path, 0);
  truncateSync(path, size);
  utimensat(AT_FDCWD, path, "omit", SERVER_MTIME_NS);
}

describe("[C4] a fetched content of which the power took the bytes", () => {
  beforeEach(async () => {
    remoteFile("a", "lost");
    remoteFile("b", "kept");
    await cache.read("/a");
    await cache.read("/b");
  });

  test("is fetched again after the machine started anew; what is whole is not", async () => {
    takeBytes(onDisk("a"));
    await losePower();
    expect(cache.form.readMark(onDisk("a"))?.holding).toEqual(ABSENT);
    expect(await cache.read("/a")).toBe("lost");
    expect(await cache.read("/b")).toBe("kept");
    expect(cache.fetchCount).toBe(3);
    expect(cache.pending).toEqual([]);
  });

  test("is not looked for where only the process ended", async () => {
    await crash();
    expect(cache.local.recovered).toEqual({ completed: 0, logged: [], dropped: [] });
    expect(await cache.read("/a")).toBe("lost");
    expect(cache.fetchCount).toBe(2);
  });
});
