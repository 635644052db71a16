import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { IgnoreRules, KmlAppendError, parseName, type Recno, ROOT_OID } from "@izo/core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { CALLER, oid, remoteOperations, TestCache } from "../testing/test-cache.ts";

const { create, mkdir, rmdir, rename, content } = remoteOperations;
const EXCHANGE = 2;

let cache: TestCache;

beforeEach(async () => {
  cache = await TestCache.open({ ignore: ["node_modules/", "*.o", "/app/build"] });
});

afterEach(async () => {
  await cache[Symbol.asyncDispose]();
});

const logged = () => [...new Set(cache.pending)].toSorted();
const problems = () => cache.problems.map((problem) => (problem as { code?: string }).code);

/** All that is below a path, with the contents of files. */
async function show(path = ""): Promise<Record<string, string>> {
  const shown: Record<string, string> = {};
  for (const name of cache.list(path)) {
    const at = `${path}/${name}`;
    const type = cache.fs.getattr(cache.node(at)).mode & 0o170000;
    // oxlint-disable-next-line no-await-in-loop -- one at a time is as a program does it
    if (type === 0o040000) Object.assign(shown, { [at]: "/" }, await show(at));
    // oxlint-disable-next-line no-await-in-loop -- likewise
    else shown[at] = type === 0o100000 ? await cache.read(at) : cache.fs.readlink(cache.node(at));
  }
  return shown;
}

describe("[K51] what a pattern means", () => {
  test("is there for programs, in no record, and there after a restart", async () => {
    cache.mkdir("/app");
    cache.mkdir("/app/node_modules");
    cache.mkdir("/app/node_modules/pkg");
    await cache.write("/app/node_modules/pkg/index.js", "ignored");
    cache.fs.symlink(...cache.place("/app/node_modules/.bin"), "pkg/index.js", CALLER);
    await cache.write("/app/main.o", "object");
    await cache.write("/app/main.c", "source");

    const all = {
      "/app": "/",
      "/app/main.c": "source",
      "/app/main.o": "object",
      "/app/node_modules": "/",
      "/app/node_modules/.bin": "pkg/index.js",
      "/app/node_modules/pkg": "/",
      "/app/node_modules/pkg/index.js": "ignored",
    };
    expect(await show()).toEqual(all);
    expect(cache.pending).toEqual(["MKDIR /app", "CREATE /app/main.c", "CLOSE /app/main.c"]);
    await cache.restart();
    expect(await show()).toEqual(all);
    expect(cache.local.describeIgnored()).toMatchObject({ entries: 2, leftBehind: [] });
    await cache.assertTidy();
  });

  test("counts from the root where a pattern has a path, and asks for a directory where it ends with a slash", async () => {
    cache.mkdir("/app");
    cache.mkdir("/build");
    cache.mkdir("/app/build");
    await cache.write("/node_modules", "a file");
    expect(cache.pending).toEqual([
      "MKDIR /app",
      "MKDIR /build",
      "CREATE /node_modules",
      "CLOSE /node_modules",
    ]);
  });

  test("has the owner, the mode and the attributes that programs give it, and each name its inode", async () => {
    cache.mkdir("/node_modules");
    await cache.write("/node_modules/a", "one");
    const node = cache.node("/node_modules/a");
    await cache.fs.setattr(node, { mode: 0o600, mtimeNs: 5_000_000_001n }, CALLER);
    cache.fs.setxattr(node, "user.colour", Buffer.from("red"), 0, CALLER);
    cache.fs.link(node, ...cache.place("/node_modules/b"), CALLER);
    expect(cache.node("/node_modules/b")).toBe(node);
    const { mode, uid, nlink, mtimeNs, ino } = cache.fs.getattr(node);
    expect({ mode, uid, nlink, mtimeNs }).toEqual({
      mode: 0o100600,
      uid: CALLER.uid,
      nlink: 2,
      mtimeNs: 5_000_000_001n,
    });
    expect(cache.fs.getxattr(node, "user.colour")).toEqual(Buffer.from("red"));
    expect(cache.fs.listxattr(node)).toEqual(["user.colour"]);
    cache.fs.removexattr(node, "user.colour", CALLER);
    expect(() => cache.fs.removexattr(node, "user.colour", CALLER)).toThrow("not set");
    await cache.fs.setattr(node, { sizeBytes: 1 }, CALLER);
    expect(await cache.read("/node_modules/b")).toBe("o");
    const listed = cache.fs.readdir(cache.node("/node_modules"));
    expect(listed.map((entry) => entry.ino)).toEqual([ino, ino]);
    expect(cache.pending).toEqual([]);
  });

  test("stays open when it is removed, and its room is free", async () => {
    const [fd, node] = await cache.openForWriting("/a.o");
    cache.writeTo(node, fd, "open", 0);
    cache.unlink("/a.o");
    expect(cache.find("/a.o")).toBeUndefined();
    expect(cache.fs.getattr(node, fd)).toMatchObject({ nlink: 0, sizeBytes: 4 });
    cache.close(node, fd);
    expect(cache.local.describeIgnored().entries).toBe(0);
    expect(readdirSync(join(cache.cacheDir, "ignored"))).toEqual([]);
  });

  test("is listed at positions that stay when others come and go", async () => {
    for (const name of ["/x.o", "/a", "/y.o", "/z.o"]) await cache.write(name, "");
    const before = cache.fs.readdir(1);
    expect(before.map(({ name }) => name).toSorted()).toEqual(["a", "x.o", "y.o", "z.o"]);
    const positions = before.map(({ position }) => position);
    expect(positions).toEqual(positions.toSorted((a, b) => (a < b ? -1 : 1)));
    cache.unlink("/y.o");
    const placed = ({ name, position }: (typeof before)[number]) => [name, position];
    expect(cache.fs.readdir(1).map(placed)).toEqual(
      before.filter(({ name }) => name !== "y.o").map(placed),
    );
  });

  test("moves the time of the directory in which it comes and goes", async () => {
    cache.mkdir("/app");
    const times: bigint[] = [];
    const note = () => times.push(cache.fs.getattr(cache.node("/app")).mtimeNs);
    await cache.fs.setattr(cache.node("/app"), { mtimeNs: 1n }, CALLER);
    note();
    await cache.write("/app/a.o", "");
    note();
    await cache.fs.setattr(cache.node("/app"), { mtimeNs: 1n }, CALLER);
    cache.unlink("/app/a.o");
    note();
    expect(times[0]).toBe(1n);
    expect(times[1]).toBeGreaterThan(1n);
    expect(times[2]).toBeGreaterThan(1n);
  });
});

describe("[K52] what the log knows", () => {
  test("is not ignored: it is followed, and edited, under whatever name", async () => {
    cache.remote(mkdir(oid("d1"), "node_modules"), create(oid("f1"), "theirs", oid("d1")));
    await cache.write("/node_modules/theirs", "edited");
    await cache.write("/node_modules/mine", "ignored");
    expect(cache.pending).toEqual(["CLOSE /node_modules/theirs"]);
    expect(await show()).toEqual({
      "/node_modules": "/",
      "/node_modules/mine": "ignored",
      "/node_modules/theirs": "edited",
    });
  });

  test("is replaced by a rename as anything else", async () => {
    const sha256 = cache.store("old");
    cache.remote(create(oid("f1"), "a.o"), content(oid("f1"), sha256, 3));
    await cache.write("/tmp-5", "new");
    cache.rename("/tmp-5", "/a.o");
    expect(cache.pending).toEqual(["CREATE /tmp-5", "CLOSE /tmp-5", "RENAME /tmp-5 /a.o"]);
    expect(await show()).toEqual({ "/a.o": "new" });
  });
});

describe("[K53] an ignored name that the log has now", () => {
  test("is kept beside it, with all that is below, and stays ignored", async () => {
    cache.mkdir("/node_modules");
    await cache.write("/node_modules/mine", "ignored");
    await cache.write("/a.o", "mine");
    const sha256 = cache.store("theirs");
    cache.remote(
      mkdir(oid("d1"), "node_modules"),
      create(oid("f1"), "theirs", oid("d1")),
      create(oid("f2"), "a.o"),
      content(oid("f2"), sha256, 6),
    );
    expect(cache.notified).toContain("entry 1 a.o");
    const shown = await show();
    const copies = Object.keys(shown).filter((path) => path.includes(".conflict-"));
    expect(copies.map((path) => path.replace(/\d{8}T\d{6}Z/, "TIME")).toSorted()).toEqual([
      "/a.conflict-TIME-test.o",
      "/node_modules.conflict-TIME-test",
      "/node_modules.conflict-TIME-test/mine",
    ]);
    expect(shown).toMatchObject({ "/a.o": "theirs", "/node_modules/theirs": "" });
    expect(Object.values(shown)).toEqual(expect.arrayContaining(["mine", "ignored"]));
    expect(problems()).toEqual(["ignored-gave-way", "ignored-gave-way"]);
    await cache.restart();
    expect(await show()).toEqual(shown);
    expect(cache.pending).toEqual([]);
  });

  test("is in the directory of others, where that comes empty", async () => {
    cache.mkdir("/node_modules");
    await cache.write("/node_modules/mine", "ignored");
    cache.remote(mkdir(oid("d1"), "node_modules"));
    expect(await show()).toEqual({ "/node_modules": "/", "/node_modules/mine": "ignored" });
    await cache.write("/node_modules/more", "ignored");
    expect(cache.pending).toEqual([]);
    await cache.assertTidy();
  });

  test("gives way also where a crash came before", async () => {
    await cache.write("/a.o", "mine");
    cache.remote(create(oid("f1"), "b.o"));
    writeFileSync(join(cache.cacheDir, "ignored", ROOT_OID, "b.o"), "as if it had been there");
    await cache.kill();
    await cache.start();
    expect(cache.list("").map((name) => name.replace(/\d{8}T\d{6}Z/, "TIME"))).toEqual([
      "a.o",
      "b.conflict-TIME-test.o",
      "b.o",
    ]);
  });
});

describe("[K54] a name that leads across", () => {
  test("is EXDEV for a directory and for a link, and for an exchange, both ways", async () => {
    cache.mkdir("/node_modules");
    cache.mkdir("/src");
    await cache.write("/a.o", "ignored");
    await cache.write("/a.c", "source");
    const before = cache.pending;
    expect(() => cache.rename("/node_modules", "/modules")).toThrow("only one of the names");
    expect(() => cache.rename("/src", "/node_modules/src")).toThrow("only one of the names");
    const link = (from: string, to: string) => () =>
      cache.fs.link(cache.node(from), ...cache.place(to), CALLER);
    expect(link("/a.o", "/a.out")).toThrow("only one of the names");
    expect(link("/a.c", "/c.o")).toThrow("only one of the names");
    const exchange = () =>
      cache.fs.rename(...cache.place("/a.o"), ...cache.place("/a.c"), EXCHANGE, CALLER);
    expect(exchange).toThrow("only one of the names");
    expect(cache.pending).toEqual(before);
    expect(await show()).toMatchObject({ "/a.o": "ignored", "/a.c": "source" });
  });

  test("within what is ignored is a rename as on any disk", async () => {
    cache.mkdir("/node_modules");
    cache.mkdir("/node_modules/.tmp");
    await cache.write("/node_modules/.tmp/a", "new");
    cache.rename("/node_modules/.tmp", "/node_modules/pkg");
    await cache.write("/a.o", "old");
    await cache.write("/b.o", "new");
    cache.rename("/b.o", "/a.o");
    cache.fs.rename(
      ...cache.place("/a.o"),
      ...cache.place("/node_modules/pkg/a"),
      EXCHANGE,
      CALLER,
    );
    expect(await show()).toEqual({
      "/a.o": "new",
      "/node_modules": "/",
      "/node_modules/pkg": "/",
      "/node_modules/pkg/a": "new",
    });
    expect(cache.pending).toEqual([]);
  });

  test("takes a file to the others that gets a name which is not ignored", async () => {
    await cache.write("/main.o", "made");
    const node = cache.node("/main.o");
    cache.rename("/main.o", "/main");
    expect(cache.pending).toEqual(["CREATE /main.o", "CLOSE /main.o", "RENAME /main.o /main"]);
    expect(cache.node("/main")).toBe(node);
    expect(await show()).toEqual({ "/main": "made" });
    await cache.push();
    expect(await show()).toEqual({ "/main": "made" });
    await cache.assertTidy();
  });

  test("is an edit of the file that it replaces, also while its writer has it open", async () => {
    await cache.write("/main", "old");
    await cache.push();
    const object = cache.replica.visible.entry(ROOT_OID, parseName("main"))!.oid;
    const [fd, node] = await cache.openForWriting("/main.o");
    cache.writeTo(node, fd, "new", 0);
    cache.fs.flush(node, fd);
    cache.rename("/main.o", "/main");
    cache.writeTo(node, fd, "newer", 0);
    cache.close(node, fd);
    expect(cache.replica.visible.entry(ROOT_OID, parseName("main"))?.oid).toBe(object);
    // It is watched for a moment, as one that the kernel may have written past this process.
    await expect
      .poll(async () => {
        await cache.push();
        return cache.replica.authoritative.object(object)?.sizeBytes;
      })
      .toBe(5);
    expect(await show()).toEqual({ "/main": "newer" });
    await cache.assertTidy();
  });

  test("takes a file from the others that gets a name which is ignored", async () => {
    await cache.write("/tmp-1", "made");
    await cache.push();
    const node = cache.node("/tmp-1");
    cache.rename("/tmp-1", "/main.o");
    expect(cache.pending).toEqual(["UNLINK /tmp-1"]);
    expect(cache.node("/main.o")).toBe(node);
    await cache.push();
    expect(await show()).toEqual({ "/main.o": "made" });
    expect(cache.replica.authoritative.entry(ROOT_OID, parseName("tmp-1"))).toBeUndefined();
    await cache.write("/main.o", "written");
    await cache.restart();
    expect(await show()).toEqual({ "/main.o": "written" });
    expect(cache.pending).toEqual([]);
    await cache.assertTidy();
  });

  test("leaves nothing of what was saved under a passing name for the others", async () => {
    await cache.write("/main.o", "old");
    const old = cache.node("/main.o");
    const [fd, node] = await cache.openForWriting("/tmp-2");
    cache.writeTo(node, fd, "new", 0);
    cache.rename("/tmp-2", "/main.o");
    cache.writeTo(node, fd, "newer", 0);
    cache.close(node, fd);
    expect(cache.node("/main.o")).toBe(node);
    expect(node).not.toBe(old);
    expect(await show()).toEqual({ "/main.o": "newer" });
    expect(cache.list("")).toEqual(["main.o"]);
    await cache.push();
    expect(cache.replica.position.recno).toBe(0);
    await cache.assertTidy();
  });

  test("takes across what nobody refers to", async () => {
    cache.mkdir("/node_modules");
    const { fd, node } = cache.fs.create(...cache.place("/tmp-4"), 0o644, 0o102, CALLER);
    cache.close(node, fd);
    cache.fs.forget(node);
    cache.rename("/tmp-4", "/node_modules/a");
    expect(cache.find("/node_modules/a")).toBeDefined();
    cache.fs.forget(cache.node("/node_modules/a"));
    cache.rename("/node_modules/a", "/b.o");
    expect(await show()).toEqual({ "/b.o": "", "/node_modules": "/" });
  });

  test("cannot take across what is not here, and says so", async () => {
    cache.remote(create(oid("f1"), "far"), content(oid("f1"), cache.store("far"), 3));
    expect(() => cache.rename("/far", "/far.o")).toThrow("only one of the names");
    expect(cache.list("")).toEqual(["far"]);
  });

  test("is under one of its names, whole, after a kill at any step", async () => {
    await cache.write("/main.o", "old");
    await cache.write("/tmp-3", "new");
    await cache.push();
    const deaths: string[] = [];
    const { replica } = cache;
    const record = replica.record.bind(replica);
    replica.record = (...change) => {
      deaths.push(copyOf(cache.cacheDir));
      const recno = record(...change);
      deaths.push(copyOf(cache.cacheDir));
      return recno;
    };
    cache.rename("/tmp-3", "/main.o");
    deaths.push(copyOf(cache.cacheDir));
    expect(deaths).toHaveLength(3);
    for (const death of deaths) {
      // oxlint-disable-next-line no-await-in-loop -- one death after another
      await dieAs(death);
      // oxlint-disable-next-line no-await-in-loop -- likewise
      expect(await show()).toEqual({ "/main.o": "new" });
      expect(cache.pending).toEqual(["UNLINK /tmp-3"]);
      expect(readdirSync(join(cache.cacheDir, "ignored", ROOT_OID))).toEqual(["main.o"]);
    }
    expect(problems()).toEqual([]);
  });

  test("leaves a file ignored where its records cannot be written", async () => {
    await cache.write("/main.o", "made");
    const full = Object.assign(new Error("full"), { code: "ENOSPC" });
    const refusing = vi.spyOn(cache.replica, "recordTogether").mockImplementation(() => {
      throw new KmlAppendError(1 as Recno, "segment", full);
    });
    expect(() => cache.rename("/main.o", "/main")).toThrow(
      expect.objectContaining({ code: "ENOSPC" }),
    );
    refusing.mockRestore();
    expect(await show()).toEqual({ "/main.o": "made" });
    expect(cache.pending).toEqual([]);
  });
});

describe("where the server takes changes below one path only", () => {
  beforeEach(async () => {
    const scope = { changesBelow: "/mine" };
    const other = await TestCache.open({ ignore: ["*.o"], scope });
    await cache[Symbol.asyncDispose]();
    cache = other;
    cache.remote(mkdir(oid("d1"), "mine"), mkdir(oid("d2"), "theirs"), create(oid("f1"), "f"));
  });

  test("[K51] what is ignored can be made everywhere", async () => {
    await cache.write("/theirs/a.o", "ignored");
    cache.rename("/theirs/a.o", "/theirs/b.o");
    expect(await cache.read("/theirs/b.o")).toBe("ignored");
  });

  test("[K54] what would move across is EROFS, and stays as it is", async () => {
    await cache.write("/theirs/a.o", "ignored");
    const readOnly = expect.objectContaining({ code: "EROFS" });
    expect(() => cache.rename("/theirs/a.o", "/theirs/a")).toThrow(readOnly);
    expect(() => cache.rename("/f", "/f.o")).toThrow(readOnly);
    expect(await show()).toEqual({
      "/f": "",
      "/mine": "/",
      "/theirs": "/",
      "/theirs/a.o": "ignored",
    });
    await cache.write("/mine/a.o", "made");
    cache.rename("/mine/a.o", "/mine/a");
    expect(logged()).toEqual(["CLOSE /mine/a.o", "CREATE /mine/a.o", "RENAME /mine/a.o /mine/a"]);
  });
});

describe("[K55] a directory in which something is ignored", () => {
  test("is not empty for programs here", async () => {
    cache.mkdir("/app");
    cache.mkdir("/other");
    await cache.write("/app/a.o", "ignored");
    expect(() => cache.fs.rmdir(...cache.place("/app"), CALLER)).toThrow("is ignored");
    expect(() => cache.rename("/other", "/app")).toThrow("is ignored");
    cache.unlink("/app/a.o");
    cache.fs.rmdir(...cache.place("/app"), CALLER);
    expect(cache.list("")).toEqual(["other"]);
  });

  test("takes nothing along when others remove it: it is kept, named, and back when it returns", async () => {
    cache.remote(mkdir(oid("d1"), "app"), mkdir(oid("d2"), "lib", oid("d1")));
    cache.mkdir("/app/lib/node_modules");
    await cache.write("/app/lib/node_modules/a", "ignored");
    const [fd, node] = await cache.openForWriting("/app/lib/node_modules/a");
    cache.remote(rmdir(oid("d2"), "lib", oid("d1")), rmdir(oid("d1"), "app"));
    expect(cache.list("")).toEqual([]);
    const keptAs = join(cache.cacheDir, "ignored", oid("d2"));
    const leftBehind = [{ path: "/app/lib", keptAs }];
    expect(cache.local.describeIgnored().leftBehind).toEqual(leftBehind);
    expect(problems()).toEqual(["ignored-left-behind"]);
    cache.writeTo(node, fd, "still", 0);
    cache.close(node, fd);
    expect(readFileSync(join(keptAs, "node_modules/a"), "utf8")).toBe("still");
    await cache.restart();
    expect(cache.local.describeIgnored().leftBehind).toEqual(leftBehind);

    cache.remote(mkdir(oid("d1"), "app"), mkdir(oid("d2"), "lib", oid("d1")));
    expect(await cache.read("/app/lib/node_modules/a")).toBe("still");
    expect(cache.local.describeIgnored().leftBehind).toEqual([]);
  });

  test("merges with another one, with what is ignored in both", async () => {
    cache.mkdir("/app");
    await cache.write("/app/a.o", "ignored");
    cache.remote(mkdir(oid("d1"), "app"), create(oid("f1"), "main.c", oid("d1")));
    await cache.push();
    expect(await show()).toEqual({ "/app": "/", "/app/a.o": "ignored", "/app/main.c": "" });
    expect(cache.local.describeIgnored()).toMatchObject({ entries: 1, leftBehind: [] });
    expect(cache.pending).toEqual([]);
  });
});

describe("[K56] ignored entries go with their directory", () => {
  test("whoever moves it, and whatever the patterns say of its new path", async () => {
    cache.remote(mkdir(oid("d1"), "app"));
    cache.mkdir("/app/build");
    await cache.write("/app/build/out", "ignored");
    cache.remote(rename(oid("d1"), "app", "moved"));
    expect(await cache.read("/moved/build/out")).toBe("ignored");
    cache.rename("/moved", "/again");
    await cache.write("/again/build/more", "ignored");
    expect(cache.pending).toEqual(["RENAME /moved /again"]);
    await cache.restart();
    expect(await cache.read("/again/build/more")).toBe("ignored");
  });
});

describe("[K57] patterns that change between two mounts", () => {
  beforeEach(async () => {
    cache.mkdir("/app");
    cache.mkdir("/app/build");
    cache.mkdir("/app/build/deep");
    await cache.write("/app/build/deep/out", "built");
    await cache.write("/app/build/deep/keep.o", "object");
    cache.fs.symlink(...cache.place("/app/build/latest"), "deep/out", CALLER);
    await cache.fs.setattr(cache.node("/app/build/deep/out"), { mode: 0o750 }, CALLER);
    cache.fs.setxattr(cache.node("/app/build/deep/out"), "user.by", Buffer.from("make"), 0, CALLER);
    await cache.push();
  });

  test("log what none of them means any more, and leave the rest ignored", async () => {
    const before = await show();
    await restartWith(["*.o"]);
    expect(cache.pending.toSorted()).toEqual([
      "CLOSE /app/build/deep/out",
      "CREATE /app/build/deep/out",
      "MKDIR /app/build",
      "MKDIR /app/build/deep",
      "SETEXTATTR /app/build/deep/out",
      "SYMLINK /app/build/latest",
    ]);
    expect(await show()).toEqual(before);
    await cache.push();
    expect(await show()).toEqual(before);
    expect(cache.fs.getattr(cache.node("/app/build/deep/out")).mode).toBe(0o100750);
    expect(cache.local.describeIgnored()).toMatchObject({ entries: 1, leftBehind: [] });
    await cache.assertTidy();
    await restartWith([]);
    expect(cache.pending.toSorted()).toEqual([
      "CLOSE /app/build/deep/keep.o",
      "CREATE /app/build/deep/keep.o",
    ]);
    expect(existsSync(join(cache.cacheDir, "ignored", ROOT_OID))).toBe(false);
  });

  test("take nothing out of the log that one means now", async () => {
    await cache.write("/app/main.c", "source");
    await restartWith([...cache.ignore, "*.c"]);
    await cache.write("/app/main.c", "edited");
    await cache.write("/app/new.c", "ignored");
    expect(cache.pending).toEqual(["CREATE /app/main.c", "CLOSE /app/main.c", "CLOSE /app/main.c"]);
    expect(await cache.read("/app/new.c")).toBe("ignored");
  });

  test("leave what no former pattern meant where it is", async () => {
    cache.rename("/app", "/moved");
    await cache.push();
    await restartWith(["*.o"]);
    expect(cache.pending).toEqual([]);
    expect(await cache.read("/moved/build/deep/out")).toBe("built");
  });

  test("are gone on with after a kill at any record", async () => {
    const before = await show();
    const former = new IgnoreRules(cache.ignore);
    cache.ignore = ["*.o"];
    await cache.restart();
    const deaths: string[] = [];
    const { replica } = cache;
    const dying = <T>(append: () => T): T => {
      deaths.push(copyOf(cache.cacheDir));
      const recno = append();
      deaths.push(copyOf(cache.cacheDir));
      return recno;
    };
    const record = replica.record.bind(replica);
    const recordTogether = replica.recordTogether.bind(replica);
    replica.record = (...change) => dying(() => record(...change));
    replica.recordTogether = (...change) => dying(() => recordTogether(...change));
    await cache.local.takeUpIgnored(former);
    expect(deaths).toHaveLength(10);
    for (const [index, death] of deaths.entries()) {
      // oxlint-disable no-await-in-loop -- one death after another
      await dieAs(death);
      await cache.local.takeUpIgnored(former);
      expect(await show(), `after ${index} copies`).toEqual(before);
      expect(logged(), `after ${index} copies`).toEqual([
        "CLOSE /app/build/deep/out",
        "CREATE /app/build/deep/out",
        "MKDIR /app/build",
        "MKDIR /app/build/deep",
        "SETEXTATTR /app/build/deep/out",
        "SYMLINK /app/build/latest",
      ]);
      // oxlint-enable no-await-in-loop
    }
    expect(problems()).toEqual([]);
  });
});

/** What a process that dies now would leave. */
function copyOf(directory: string): string {
  const copy = mkdtempSync(join(tmpdir(), "izo-death-"));
  execFileSync("cp", ["-aT", directory, copy]);
  return copy;
}

/** Starts on what such a process has left. */
async function dieAs(copy: string): Promise<void> {
  await cache.kill();
  rmSync(cache.cacheDir, { recursive: true });
  renameSync(copy, cache.cacheDir);
  await cache.start();
}

/** Mounts again with other patterns. */
async function restartWith(patterns: string[]): Promise<void> {
  const former = new IgnoreRules(cache.ignore);
  cache.ignore = patterns;
  await cache.restart();
  await cache.local.takeUpIgnored(former);
}
