import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

import {
  isSameVersion,
  KmlAppendError,
  NO_RECNO,
  parseName,
  type Recno,
  ROOT_OID,
} from "@izo/core";
import { lsetxattr } from "@izo/sys";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { NodeId } from "../fuse/file-system.ts";
import { CALLER, oid, readDescriptor, remoteOperations, TestCache } from "../testing/test-cache.ts";

let cache: TestCache;

beforeEach(async () => {
  cache = await TestCache.open();
});

afterEach(async () => {
  await cache.assertTidy();
  await cache[Symbol.asyncDispose]();
});

const operations = () => cache.replica.pending.unsent.map(({ operation }) => operation);

test("[C1] the filter leaves it to after the answer to show what it has recorded", async () => {
  const { replica, fs } = cache;
  const [, directory] = [cache.mkdir("/d"), cache.node("/d")];
  const looked = vi.spyOn(replica, "visible", "get");
  const recorded = vi.spyOn(replica, "record");
  const shows = (operation: () => void): boolean => {
    recorded.mockClear();
    operation();
    const [record] = recorded.mock.invocationCallOrder;
    expect(record).toBeDefined();
    return (looked.mock.invocationCallOrder.at(-1) ?? 0) > record!;
  };
  const [a, b] = [parseName("a"), parseName("b")];
  let [node, fd] = [0, 0];
  const make = (): void => {
    ({ node, fd } = fs.create(directory, a, 0o600, 0o102, CALLER));
    fs.willWrite(node, fd, true, true);
    fs.getattr(node, fd);
  };
  expect(shows(make)).toBe(false);
  expect(shows(() => void fs.setattr(node, { mode: 0o644 }, CALLER))).toBe(false);
  cache.writeTo(node, fd, "1", 0);
  expect(shows(() => fs.release(node, fd))).toBe(false);
  expect(shows(() => fs.rename(directory, a, directory, b, 0, CALLER))).toBe(false);
  expect(shows(() => fs.mkdir(directory, a, 0o755, CALLER))).toBe(false);
  expect(shows(() => fs.rmdir(directory, a, CALLER))).toBe(false);
  replica.showRecorded();
  expect(cache.pending).toContain("CREATE /d/a");
  expect(await cache.read("/d/b")).toBe("1");
});

describe("what is logged", () => {
  test("create, write and close are a CREATE and an open CLOSE", async () => {
    await cache.write("/a", "hello");

    expect(cache.pending).toEqual(["CREATE /a", "CLOSE /a"]);
    expect(operations()[1]).toMatchObject({ sizeBytes: 5, sha256: null });
    expect(await cache.read("/a")).toBe("hello");
  });

  test("the CREATE has the inode's time and the caller as owner", () => {
    const { node } = cache.fs.create(...cache.place("/a"), 0o640, 0o102, CALLER);

    const [created] = operations();
    const { mtimeNs, uid, gid, mode } = cache.fs.getattr(node);
    expect(created).toMatchObject({ opcode: "CREATE", mtimeNs, uid, gid, mode: 0o640 });
    expect([uid, gid, mode & 0o7777]).toEqual([1000, 1000, 0o640]);
  });

  test("a set-group-ID directory hands on its group, and the bit to directories", () => {
    const directory = { oid: oid("d"), parent: ROOT_OID, name: parseName("d"), path: "/d" };
    const owner = { mode: 0o2775, uid: CALLER.uid, gid: 7 };
    cache.remote({ opcode: "MKDIR", ...directory, ...owner, mtimeNs: 1n, conflict: null });
    cache.mkdir("/d/e");
    cache.fs.create(...cache.place("/d/f"), 0o644, 0o102, CALLER);

    expect(cache.fs.getattr(cache.node("/d/e")).mode).toBe(0o042755);
    expect(cache.fs.getattr(cache.node("/d/f")).mode).toBe(0o100644);
    expect(operations()).toMatchObject([
      { opcode: "MKDIR", gid: 7 },
      { opcode: "CREATE", gid: 7 },
    ]);
  });

  test("a flush without a write logs nothing, one after another write logs again", async () => {
    await cache.write("/a", "1");
    const [fd, node] = await cache.openForWriting("/a");
    cache.close(node, fd);
    // O_TRUNC ended the content, so the first of these is a change.
    expect(cache.pending).toEqual(["CREATE /a", "CLOSE /a", "CLOSE /a"]);
    expect(await cache.read("/a")).toBe("");
    expect(cache.pending).toHaveLength(3);
  });

  test("a write that comes after another descriptor's flush is logged at its own", async () => {
    const [fd, node] = await cache.openForWriting("/a");
    cache.writeTo(node, fd, "1", 0);
    const { fd: other } = await cache.fs.open(node, 0, CALLER);
    cache.close(node, other);
    expect(cache.pending).toEqual(["CREATE /a"]);
    cache.close(node, fd);
    expect(cache.pending).toEqual(["CREATE /a", "CLOSE /a"]);
  });

  test("[D9] a rename of a file that is being written logs its CLOSE first", async () => {
    const [fd, node] = await cache.openForWriting("/a");
    cache.writeTo(node, fd, "1", 0);
    cache.rename("/a", "/b");
    expect(cache.pending).toEqual(["CREATE /a", "CLOSE /a", "RENAME /a /b"]);
    cache.close(node, fd);
    expect(cache.pending.at(-1)).toBe("CLOSE /b");
  });

  test("[D9] unlink takes back the open CLOSE, and names the version before it", async () => {
    await cache.write("/a", "1");
    cache.unlink("/a");

    expect(cache.pending).toEqual(["CREATE /a", "UNLINK /a"]);
    const [, removed] = operations();
    expect(removed?.opcode === "UNLINK" && removed.contentBase).toEqual({
      peer: cache.replica.peer,
      recno: cache.replica.pending.unsent[0]?.recno,
    });
    expect(cache.find("/a")).toBeUndefined();
  });

  test("[D9] removing what an atomic save left takes back the temporary file's open CLOSE", async () => {
    cache.remote(remoteOperations.create(oid("a1"), "a"));
    await cache.write("/a.tmp", "new");
    cache.rename("/a.tmp", "/a");
    cache.unlink("/a");
    expect(cache.pending).toEqual(["CREATE /a.tmp", "RENAME /a.tmp /a", "UNLINK /a"]);
    expect(cache.replica.unsealed()).toEqual([]);
  });

  test("utimens while a file is written travels with its CLOSE, to the nanosecond", async () => {
    const [fd, node] = await cache.openForWriting("/a");
    cache.writeTo(node, fd, "1", 0);
    await cache.fs.setattr(node, { mtimeNs: 1_600_000_000_123_456_789n }, CALLER, fd);
    cache.close(node, fd);

    expect(cache.pending).toEqual(["CREATE /a", "CLOSE /a"]);
    expect(operations()[1]).toMatchObject({ mtimeNs: 1_600_000_000_123_456_789n });
  });

  test("utimens of a closed file is a SETATTR; a change of atime alone is no record", async () => {
    await cache.write("/a", "1");
    const node = cache.node("/a");
    await cache.fs.setattr(node, { atimeNs: 5n }, CALLER);
    await cache.fs.setattr(node, { mtimeNs: 1_600_000_000_123_456_789n }, CALLER);

    expect(cache.pending).toEqual(["CREATE /a", "CLOSE /a", "SETATTR /a"]);
    expect(cache.fs.getattr(node)).toMatchObject({
      atimeNs: 5n,
      mtimeNs: 1_600_000_000_123_456_789n,
    });
  });

  test("utimens takes any time, and keeps the nearest that there is", async () => {
    await cache.write("/a", "1");
    const node = cache.node("/a");
    const farthestNs = (2n ** 63n - 1n) * 1_000_000_000n;
    for (const timeNs of [farthestNs, -farthestNs])
      await cache.fs.setattr(node, { atimeNs: timeNs, mtimeNs: timeNs }, CALLER);

    const times = operations().flatMap((operation) =>
      operation.opcode === "SETATTR" ? [operation.times?.mtimeNs] : [],
    );
    expect(times).toEqual([2n ** 63n - 1n, -(2n ** 63n)]);
    // A time of its own for reading, too, that the file system of the cache can say.
    expect(cache.fs.getattr(node).atimeNs).toBeLessThan(0n);
  });

  test.runIf(TestCache.showsOwners)(
    "chown takes the set-user-ID bit away, in the record too",
    async () => {
      await cache.write("/a", "1");
      const node = cache.node("/a");
      await cache.fs.setattr(node, { mode: 0o4755 }, CALLER);
      await cache.fs.setattr(node, { uid: 5 }, CALLER);

      expect(operations().at(-1)).toMatchObject({ attributes: { uid: 5, gid: 1000, mode: 0o755 } });
      expect(cache.fs.getattr(node)).toMatchObject({ uid: 5, mode: 0o100755 });
    },
  );

  test("truncate by path is a CLOSE at once", async () => {
    await cache.write("/a", "hello");
    await cache.fs.setattr(cache.node("/a"), { sizeBytes: 2 }, CALLER);
    expect(cache.pending.at(-1)).toBe("CLOSE /a");
    expect(operations().at(-1)).toMatchObject({ sizeBytes: 2 });
    expect(await cache.read("/a")).toBe("he");
  });

  test("extended attributes are records, and the cache's own one is hidden", async () => {
    await cache.write("/a", "1");
    const node = cache.node("/a");
    cache.fs.setxattr(node, "user.colour", Buffer.from("red"), 0, CALLER);
    expect(operations().at(-1)).toMatchObject({ attribute: "user.colour", base: NO_RECNO });
    expect(cache.fs.listxattr(node)).toEqual(["user.colour"]);
    expect(() => cache.fs.setxattr(node, "trusted.izo", Buffer.of(1), 0, CALLER)).toThrow(
      "another",
    );
    expect(() => cache.fs.setxattr(node, "user.colour", Buffer.of(1), 1, CALLER)).toThrow("there");
    cache.fs.removexattr(node, "user.colour", CALLER);
    expect(cache.pending.at(-1)).toBe("DELEXTATTR /a");
    expect(cache.fs.getxattr(node, "user.colour")).toBeUndefined();
  });

  test.each(["trusted.note", "security.selinux", "security.ima"])(
    "%s means nothing on another machine: refused, and hidden where the cache's disk has it",
    async (name) => {
      await cache.write("/a", "1");
      const node = cache.node("/a");
      const before = cache.pending;
      expect(() => cache.fs.setxattr(node, name, Buffer.of(1), 0, CALLER)).toThrow(
        expect.objectContaining({ code: "EOPNOTSUPP" }),
      );
      expect(() => cache.fs.removexattr(node, name, CALLER)).toThrow(
        expect.objectContaining({ code: "EOPNOTSUPP" }),
      );
      expect(cache.pending).toEqual(before);
      if (name === "trusted.note")
        lsetxattr(join(cache.cacheDir, "tree", "a"), name, Buffer.from("local"));
      expect(cache.fs.getxattr(node, name)).toBeUndefined();
      expect(cache.fs.listxattr(node)).toEqual([]);
    },
  );

  test.each(["system.nfs4_acl", "unknown.a", "user"])(
    "getxattr() of %s, which no file system has, is EOPNOTSUPP",
    async (name) => {
      await cache.write("/a", "1");
      expect(() => cache.fs.getxattr(cache.node("/a"), name)).toThrow(
        expect.objectContaining({ code: "EOPNOTSUPP" }),
      );
    },
  );

  test("setxattr() refuses capabilities of no bytes, which Linux takes and cannot read", async () => {
    await cache.write("/a", "1");
    const before = cache.pending;
    const set = () =>
      cache.fs.setxattr(cache.node("/a"), "security.capability", Buffer.alloc(0), 0, CALLER);
    expect(set).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(cache.pending).toEqual(before);
  });

  test("what a directory hands on to new entries by its access control list is logged with them", () => {
    cache.mkdir("/d");
    const list =
      "0200000001000700ffffffff02000700e803000004000500ffffffff10000700ffffffff20000500ffffffff";
    const defaults = Buffer.from(list, "hex");
    cache.fs.setxattr(cache.node("/d"), "system.posix_acl_default", defaults, 0, CALLER);
    const node = cache.fs.mknod(...cache.place("/d/f"), 0o100640, 0, { ...CALLER, umask: 0o077 });

    expect(cache.fs.getattr(node).mode).toBe(0o100640);
    expect(cache.pending).toEqual(["MKDIR /d", "SETEXTATTR /d", "CREATE /d/f", "SETEXTATTR /d/f"]);
    const inherited = cache.fs.getxattr(node, "system.posix_acl_access");
    expect(operations().at(-1)).toMatchObject({ value: Uint8Array.from(inherited!) });
  });

  test("chmod changes the access control list, in the records too", () => {
    cache.fs.mknod(...cache.place("/f"), 0o100640, 0, CALLER);
    const node = cache.node("/f");
    const list =
      "0200000001000600ffffffff02000600e803000004000400ffffffff10000600ffffffff20000000ffffffff";
    cache.fs.setxattr(node, "system.posix_acl_access", Buffer.from(list, "hex"), 0, CALLER);
    void cache.fs.setattr(node, { mode: 0o604 }, CALLER);

    const changed = cache.fs.getxattr(node, "system.posix_acl_access");
    expect(changed).not.toEqual(Buffer.from(list, "hex"));
    expect(operations().at(-1)).toMatchObject({
      opcode: "SETEXTATTR",
      value: Uint8Array.from(changed!),
    });
  });

  test("who sets the mode and the owner that are set already changes nothing that others know", () => {
    const node = cache.fs.mknod(...cache.place("/f"), 0o100640, 0, CALLER);
    const { uid, gid } = cache.fs.getattr(node);
    const ctimeNs = (): bigint => cache.fs.getattr(node).ctimeNs;
    const before = ctimeNs();
    void cache.fs.setattr(node, { mode: 0o640 }, CALLER);
    void cache.fs.setattr(node, { uid, gid }, CALLER);
    expect(cache.pending).toEqual(["CREATE /f"]);
    expect(ctimeNs()).toBeGreaterThan(before);
    void cache.fs.setattr(node, { mode: 0o600 }, CALLER);
    expect(cache.pending).toEqual(["CREATE /f", "SETATTR /f"]);
  });

  test("a list that says no more than a mode is a change of the mode", () => {
    cache.fs.mknod(...cache.place("/f"), 0o100640, 0, CALLER);
    const node = cache.node("/f");
    const list = "0200000001000400ffffffff04000400ffffffff20000400ffffffff";
    cache.fs.setxattr(node, "system.posix_acl_access", Buffer.from(list, "hex"), 0, CALLER);

    expect(cache.pending).toEqual(["CREATE /f", "SETATTR /f"]);
    expect(cache.fs.getattr(node).mode).toBe(0o100444);
    expect(cache.fs.listxattr(node)).toEqual([]);
  });

  test("a symlink has no extended attributes", () => {
    // CAP_CHOWN, permitted: version 2 of linux/capability.h.
    const capability = Buffer.from("0000000201" + "00".repeat(15), "hex");
    const link = cache.fs.symlink(...cache.place("/l"), "target", CALLER);
    expect(() => cache.fs.setxattr(link, "security.capability", capability, 0, CALLER)).toThrow(
      expect.objectContaining({ code: "EOPNOTSUPP" }),
    );
    expect(cache.pending).toEqual(["SYMLINK /l"]);
  });

  test("an operation that fails leaves no record", async () => {
    await cache.write("/a", "1");
    cache.mkdir("/d");
    const before = cache.pending;
    expect(() => cache.mkdir("/a")).toThrow(/EEXIST|taken/);
    expect(() => cache.fs.rmdir(...cache.place("/a"), CALLER)).toThrow("no directory");
    expect(() => cache.rename("/a", "/d")).toThrow("taken");
    expect(() => cache.unlink("/nothing")).toThrow("no such entry");
    expect(cache.pending).toEqual(before);
  });

  test("a record whose operation the disk refuses is taken back", () => {
    cache.mkdir("/d");
    // Something that only a fault can leave behind: the cache's directory has lost the name's place.
    const path = join(cache.cacheDir, "tree", "d");
    expect(lstatSync(path).isDirectory()).toBe(true);
    const long = "x".repeat(255);
    const [parent] = cache.place("/d/y");
    expect(() => cache.fs.mknod(parent, long as never, 0o170000, 0, CALLER)).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
    expect(cache.pending).toEqual(["MKDIR /d"]);
    expect(cache.find(`/d/${long}`)).toBeUndefined();
  });
});

describe("[D2] atomic save", () => {
  test("keeps the object of the file that it replaces", async () => {
    cache.remote(remoteOperations.create(oid("a1"), "a"));
    await cache.write("/a.tmp", "new");
    cache.rename("/a.tmp", "/a");

    expect(operations().at(-1)).toMatchObject({ keepsOid: true, victim: { oid: oid("a1") } });
    expect(cache.replica.visible.object(oid("a1"))).toMatchObject({ sizeBytes: 3 });
    expect(await cache.read("/a")).toBe("new");
    expect(cache.list("/")).toEqual(["a"]);
  });

  test("descriptors follow: the saved one writes to the old object, the old one to nothing", async () => {
    await cache.write("/a", "old");
    const { fd: reader } = await cache.fs.open(cache.node("/a"), 0, CALLER);
    const [fd, node] = await cache.openForWriting("/a.tmp");
    cache.writeTo(node, fd, "new", 0);
    const before = cache.replica.visible.entry(...place("a"))?.oid;
    cache.rename("/a.tmp", "/a");
    expect(readDescriptor(reader)).toBe("old");
    cache.writeTo(node, fd, "newer", 0);
    cache.close(node, fd);

    expect(operations().at(-1)).toMatchObject({ opcode: "CLOSE", oid: before, sizeBytes: 5 });
    expect(await cache.read("/a")).toBe("newer");
  });

  test("of what is still being written builds on the content that it logs", async () => {
    await cache.write("/a", "old");
    const [fd, node] = await cache.openForWriting("/a.tmp");
    cache.writeTo(node, fd, "new", 0);
    cache.rename("/a.tmp", "/a");
    const { unsent } = cache.replica.pending;
    const close = unsent.at(-2)!;
    expect(close.operation.opcode).toBe("CLOSE");
    expect(unsent.at(-1)?.operation).toMatchObject({
      opcode: "RENAME",
      contentBase: { recno: close.recno },
    });
    cache.close(node, fd);
  });

  test("a file of another peer that is moved over one replaces it as an object", async () => {
    cache.remote(remoteOperations.create(oid("a1"), "a"), remoteOperations.create(oid("b1"), "b"));
    cache.rename("/b", "/a");
    expect(operations().at(-1)).toMatchObject({ keepsOid: false, victim: { oid: oid("a1") } });
    expect(cache.replica.visible.object(oid("a1"))).toBeUndefined();
  });

  test("a second name of the replaced file keeps its content", async () => {
    await cache.write("/a", "old");
    cache.fs.link(cache.node("/a"), ...cache.place("/b"), CALLER);
    await cache.write("/a.tmp", "new");
    cache.rename("/a.tmp", "/a");
    expect(operations().at(-1)).toMatchObject({ keepsOid: false });
    expect(await cache.read("/b")).toBe("old");
    expect(await cache.read("/a")).toBe("new");
  });
});

test("two names of a file show one inode", async () => {
  await cache.write("/a", "1");
  cache.fs.link(cache.node("/a"), ...cache.place("/b"), CALLER);
  expect(cache.node("/a")).toBe(cache.node("/b"));
  expect(cache.fs.getattr(cache.node("/a")).nlink).toBe(2);
  await cache.write("/b", "2");
  expect(await cache.read("/a")).toBe("2");
});

test("a removed file that is open is read and written, and nothing of it is logged", async () => {
  const [fd, node] = await cache.openForWriting("/a");
  cache.unlink("/a");
  const before = cache.pending;
  cache.writeTo(node, fd, "still here", 0);
  expect(cache.fs.getattr(node)).toMatchObject({ nlink: 0, sizeBytes: 10 });
  cache.close(node, fd);
  expect(cache.pending).toEqual(before);
});

function makeNameless(text: string): { fd: number; node: NodeId } {
  const { fd, node } = cache.fs.createNameless(cache.node("/"), 0o640, 2, CALLER);
  cache.writeTo(node, fd, text, 0);
  return { fd, node };
}

describe("a file that is made without a name", () => {
  test("is in no record before it has one, and then with all that it is", async () => {
    const { fd, node } = makeNameless("text");
    cache.fs.setxattr(node, "user.k", Buffer.from("v"), 0, CALLER);
    await cache.fs.setattr(node, { mode: 0o600 }, CALLER);
    cache.fs.flush(node, fd);
    expect(cache.fs.getattr(node, fd)).toMatchObject({ nlink: 0, sizeBytes: 4 });
    expect(cache.pending).toEqual([]);
    cache.fs.link(node, ...cache.place("/a"), CALLER);
    expect(cache.pending).toEqual(["CREATE /a", "SETEXTATTR /a", "CLOSE /a"]);
    expect(cache.fs.getattr(node, fd)).toMatchObject({ nlink: 1, mode: 0o100600 });
    cache.close(node, fd);
    expect(await cache.read("/a")).toBe("text");
  });

  test("[C6] leaves nothing when the process is killed, and all once it has a name", async () => {
    makeNameless("never named");
    const { node } = makeNameless("named");
    cache.fs.link(node, ...cache.place("/a"), CALLER);
    await cache.kill();
    await cache.start();
    expect(cache.list("/")).toEqual(["a"]);
    expect(await cache.read("/a")).toBe("named");
    expect(cache.pending).toEqual(["CREATE /a", "CLOSE /a"]);
  });
});

test("bases follow: what is changed twice builds on the own record", async () => {
  await cache.write("/a", "1");
  const node = cache.node("/a");
  await cache.fs.setattr(node, { mode: 0o600 }, CALLER);
  await cache.fs.setattr(node, { mode: 0o644 }, CALLER);
  const [, , first, second] = cache.replica.pending.unsent;
  const base =
    second?.operation.opcode === "SETATTR" ? second.operation.attributes?.base : undefined;
  expect(
    base !== undefined &&
      first !== undefined &&
      isSameVersion(base, { peer: cache.replica.peer, recno: first.recno }),
  ).toBe(true);
});

function place(name: string): Parameters<typeof cache.replica.visible.entry> {
  return [oid("1"), name as never];
}

async function closeOnFullDisk(): Promise<Disposable> {
  const [fd, node] = await cache.openForWriting("/a");
  cache.writeTo(node, fd, "written", 0);
  const full = Object.assign(new Error("no space left"), { code: "ENOSPC" });
  const refusing = vi.spyOn(cache.replica, "record").mockImplementation(() => {
    throw new KmlAppendError(1 as Recno, "segment", full);
  });
  const code = expect.objectContaining({ code: "ENOSPC" });
  expect(() => cache.fs.flush(node, fd)).toThrow(code);
  expect(() => cache.fs.release(node, fd)).toThrow(code);
  // Where nobody waits for the close, this says so.
  expect(cache.problems.splice(0)).toEqual([code]);
  expect(cache.local.owedReason).toEqual(code);
  return { [Symbol.dispose]: () => refusing.mockRestore() };
}

test("create leaves no file where the log does not take its record", async () => {
  const full = Object.assign(new Error("no space left"), { code: "ENOSPC" });
  using refusing = vi.spyOn(cache.replica, "record").mockImplementation(() => {
    throw new KmlAppendError(1 as Recno, "segment", full);
  });
  await expect(cache.openForWriting("/a")).rejects.toMatchObject({ code: "ENOSPC" });
  refusing.mockRestore();
  expect(readdirSync(join(cache.cacheDir, "tree"))).toEqual([]);
  expect(cache.list("/")).toEqual([]);
  const [fd, node] = await cache.openForWriting("/a");
  cache.fs.release(node, fd);
  expect(cache.pending).toEqual(["CREATE /a"]);
});

describe("content that the log did not take when it was closed", () => {
  test("is logged when there is room again", async () => {
    using refusing = await closeOnFullDisk();
    expect(cache.pending).toEqual(["CREATE /a"]);
    refusing[Symbol.dispose]();
    await vi.waitFor(() => expect(cache.pending).toEqual(["CREATE /a", "CLOSE /a"]), {
      timeout: 5_000,
    });
    expect(await cache.read("/a")).toBe("written");
  });

  test("[C6] is found by recovery when there never was", async () => {
    {
      using _ = await closeOnFullDisk();
      cache.local[Symbol.dispose]();
    }
    await cache.kill();
    await cache.start();
    expect(cache.local.recovered?.logged).toEqual(["/a"]);
    expect(cache.pending).toEqual(["CREATE /a", "CLOSE /a"]);
    expect(await cache.read("/a")).toBe("written");
  });
});

test("readdir() that keeps the time of access leaves it as it is, and others move it", async () => {
  cache.mkdir("/d");
  const node = cache.node("/d");
  const atime = (): bigint => cache.fs.getattr(node).atimeNs;
  await cache.fs.setattr(node, { atimeNs: 42n }, CALLER);
  cache.fs.readdir(node, true);
  expect(atime()).toBe(42n);
  cache.fs.readdir(node);
  expect(atime()).toBeGreaterThan(42n);
});
