import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Oid, parseName, ROOT_OID } from "@izo/core";
import { llistxattr } from "@izo/sys";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { CALLER, oid, remoteOperations, TestCache } from "../../testing/test-cache.ts";
import { lockCache } from "../cache-lock.ts";
import { ACCESS_ACL, modeOf } from "./access-control-list.ts";
import { DIRECT_MARK } from "./direct-form.ts";
import { MAPPED_MARK } from "./inode-meaning.ts";
import { MappedForm } from "./mapped-form.ts";
import { WHOLE } from "./object-mark.ts";
import { removeXattr, setXattr } from "./place-xattr.ts";

/** user::rw-, user:1001:rw-, group::r--, mask::rw-, other::--- of acl(5). */
const LIST = Buffer.from(
  "0200000001000600ffffffff02000600e903000004000400ffffffff10000600ffffffff20000000ffffffff",
  "hex",
);

const mark = { oid: "ab".repeat(16) as Oid, holding: WHOLE };

describe("MappedForm", () => {
  let directory = "";
  let form: MappedForm;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "izo-mapped-"));
    mkdirSync(join(directory, "staging"));
    form = new MappedForm(join(directory, "staging"), { uid: 12, gid: 34 });
    writeFileSync(at("file"), "text", { mode: 0o600 });
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  const at = (name: string): string => join(directory, name);

  test("shows its owner, and modes that nobody could work with on the disk", () => {
    form.writeMark(at("file"), mark);
    form.setMode(at("file"), 0o4000);
    expect(form.stat(at("file"))).toMatchObject({ mode: 0o104000, uid: 12, gid: 34, size: 4 });
    expect(lstatSync(at("file")).mode).toBe(0o100600);
    expect(form.readMark(at("file"))).toEqual(mark);
  });

  test("has no mark until it is written, and keeps the mode when it is", () => {
    form.setMode(at("file"), 0o444);
    expect(form.readMark(at("file"))).toBeUndefined();
    form.writeMark(at("file"), mark);
    expect(form.stat(at("file"))?.mode).toBe(0o100444);
  });

  test("lets files stand for symlinks, FIFOs and devices", () => {
    const target = Buffer.from("../a\xff", "latin1");
    form.makeSymlink(at("link"), target);
    form.makeSpecial(at("fifo"), 0o010644, 0);
    form.makeSpecial(at("device"), 0o020666, 0x103);
    expect(form.stat(at("link"))).toMatchObject({ mode: 0o120777, size: target.length });
    expect(form.readlink(at("link"))).toEqual(target);
    expect(form.stat(at("fifo"))?.mode).toBe(0o010644);
    expect(form.stat(at("device"))).toMatchObject({ mode: 0o020666, rdev: 0x103 });
    form.writeMark(at("device"), mark);
    expect(form.readMark(at("device"))).toEqual(mark);
    expect(form.entryType(at("fifo"), 0o100000)).toBe(0o010000);
    expect(() => form.makeSymlink(at("link"), target)).toThrow(/EEXIST/);
  });

  test("an access control list and the mode are one, as on a disk", () => {
    form.setMode(at("file"), 0o644);
    form.setXattr(at("file"), ACCESS_ACL, LIST);
    expect(form.stat(at("file"))?.mode).toBe(0o100660);
    form.setMode(at("file"), 0o4400);
    expect(modeOf(form.getXattr(at("file"), ACCESS_ACL)!)).toBe(0o400);
    expect(form.listXattrs(at("file"))).toContain(ACCESS_ACL);
    expect(llistxattr(at("file")).map(String)).not.toContain(ACCESS_ACL);
    form.removeXattr(at("file"), ACCESS_ACL);
    expect(form.stat(at("file"))?.mode).toBe(0o104400);
  });

  test("takes in a true symlink that somebody has put there, without following it", () => {
    symlinkSync("file", at("link"));
    expect(form.readlink(at("link"))).toEqual(Buffer.from("file"));
    form.writeMark(at("link"), mark);
    expect(form.stat(at("link"))?.mode).toBe(0o120777);
    expect(form.readlink(at("link"))).toEqual(Buffer.from("file"));
    expect(form.readMark(at("link"))).toEqual(mark);
    expect(lstatSync(at("link")).isFile()).toBe(true);
  });

  test("a cache of a user is refused to root, and says why", () => {
    const cacheDir = at("cache");
    lockCache(cacheDir)[Symbol.dispose]();
    setXattr(join(cacheDir, "lock"), MAPPED_MARK, Buffer.of(0));
    removeXattr(join(cacheDir, "lock"), DIRECT_MARK);
    expect(() => lockCache(cacheDir)).toThrow(/without root's rights/);
  });
});

test("the owner cannot be changed, and nothing is logged where he stays; the server's stays in records", async () => {
  await using cache = await TestCache.open({ form: "mapped" });
  cache.remote(remoteOperations.create(oid("abc"), "a"), {
    opcode: "SETATTR",
    oid: oid("abc"),
    path: "/a",
    attributes: { base: 0 as never, mode: 0o644, uid: 3, gid: 4 },
    times: null,
  });
  const node = cache.node("/a");
  const { fs } = cache;
  expect(() => fs.setattr(node, { gid: 7 }, CALLER)).toThrow(
    expect.objectContaining({ code: "EPERM" }),
  );
  await fs.setattr(node, { uid: CALLER.uid, gid: CALLER.gid }, CALLER);
  expect(cache.pending).toEqual([]);
  await fs.setattr(node, { mode: 0o600 }, CALLER);
  const [record] = cache.replica.pending.unsent;
  expect(record?.operation).toMatchObject({ attributes: { mode: 0o600, uid: 3, gid: 4 } });
  expect(fs.getattr(node)).toMatchObject({ mode: 0o100600, uid: CALLER.uid, gid: CALLER.gid });
});

test("what others make by way of the mount is its user's, there and on the server", async () => {
  await using cache = await TestCache.open({ form: "mapped" });
  const other = { ...CALLER, uid: 77, gid: 78 };
  cache.fs.mkdir(...cache.place("/d"), 0o755, other);
  const owner = { uid: CALLER.uid, gid: CALLER.gid };
  expect(cache.fs.getattr(cache.node("/d"))).toMatchObject(owner);
  const [record] = cache.replica.pending.unsent;
  expect(record?.operation).toMatchObject(owner);
  expect(record?.actor.uid).toBe(77);
});

test.each([
  { when: "later", isMarked: true },
  { when: "in its making", isMarked: false },
])(
  "[C6] a symlink that lost its target with the power, $when, is made again",
  async ({ isMarked }) => {
    await using cache = await TestCache.open({ form: "mapped" });
    cache.remote({
      opcode: "SYMLINK",
      oid: oid("abc"),
      parent: ROOT_OID,
      name: parseName("l"),
      path: "/l",
      target: "some/where",
      mode: 0o777,
      uid: 0,
      gid: 0,
      mtimeNs: 1n,
      conflict: null,
    });
    cache.list("/");
    await cache.kill();
    truncateSync(join(cache.cacheDir, "tree/l"));
    if (!isMarked) setXattr(join(cache.cacheDir, "tree/l"), MAPPED_MARK, Buffer.of(0xa1, 0xff));
    writeFileSync(join(cache.cacheDir, "in-use"), "another start of the machine");
    await cache.start();
    const node = cache.node("/l");
    expect(cache.fs.readlink(node)).toBe("some/where");
    expect(cache.fs.getattr(node)).toMatchObject({ sizeBytes: 10, uid: CALLER.uid });
    await cache.assertTidy();
  },
);
