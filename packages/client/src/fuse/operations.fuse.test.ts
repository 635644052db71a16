import { execFile, execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  statfsSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import {
  AT_FDCWD,
  copyFileRange,
  fallocate,
  lgetxattr,
  llistxattr,
  lremovexattr,
  lsetxattr,
  mknod,
  renameat2,
  seekHole,
  utimens,
} from "@izo/sys";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { DRIVERS } from "./driver-name.ts";
import { type ServedMount, servePassThrough } from "./testing/served-mount.ts";

const execFileAsync = promisify(execFile);

const code = (run: () => unknown): string => {
  try {
    run();
    return "no error";
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
};

describe.each(DRIVERS)("a mount by the driver %s", (driver) => {
  let served: ServedMount;
  let count = 0;
  /** A fresh directory for each test, on the mount and behind it. */
  let mounted = "";
  let backing = "";

  beforeAll(async () => {
    served = await servePassThrough(driver);
  });

  afterAll(async () => {
    await served[Symbol.asyncDispose]();
  });

  beforeEach(() => {
    count += 1;
    mounted = join(served.mountPoint, `test-${count}`);
    backing = join(served.backing, `test-${count}`);
    mkdirSync(mounted);
  });

  const at = (name: string) => join(mounted, name);

  test.for(["plain", "with space", "ünïcödé 文件 🎉", "-dash", "new\nline", "n".repeat(255)])(
    "carries the name %j",
    (name) => {
      writeFileSync(join(mounted, name), name);
      expect(readdirSync(backing)).toEqual([name]);
      expect(readdirSync(mounted)).toEqual([name]);
      expect(readFileSync(join(mounted, name), "utf8")).toBe(name);
    },
  );

  test("refuses names that are too long", () => {
    expect(code(() => writeFileSync(join(mounted, "n".repeat(256)), ""))).toBe("ENAMETOOLONG");
  });

  const invalidName = Buffer.of(0x61, 0xff);
  const below = (directory: string) => Buffer.concat([Buffer.from(`${directory}/`), invalidName]);

  test.runIf(driver === "kernel")(
    "carries names that are not UTF-8 (libfuse's high-level API cannot)",
    () => {
      writeFileSync(below(backing), "kept");
      expect(readdirSync(mounted, "buffer")).toEqual([invalidName]);
      expect(readFileSync(below(mounted), "utf8")).toBe("kept");
      writeFileSync(below(mounted), "new");
      expect(readFileSync(below(backing), "utf8")).toBe("new");
    },
  );

  test.runIf(driver === "fuse-native")(
    "lists names that are not UTF-8, and refuses them (the other driver carries them)",
    () => {
      writeFileSync(below(backing), "kept");
      expect(readdirSync(mounted)).toEqual(["a\u{fffd}"]);
      expect(code(() => readFileSync(below(mounted)))).toBe("EILSEQ");
      expect(code(() => writeFileSync(below(mounted), "new"))).toBe("EILSEQ");
      expect(readFileSync(below(backing), "utf8")).toBe("kept");
    },
  );

  test("keeps nanoseconds, before 1970 and for each time alone", () => {
    const file = join(mounted, "times");
    writeFileSync(file, "");
    utimens(file, 1_600_000_000_123_456_789n, -1_500_000_001n);
    const both = statSync(file, { bigint: true });
    expect([both.atimeNs, both.mtimeNs]).toEqual([1_600_000_000_123_456_789n, -1_500_000_001n]);
    utimens(file, "omit", 42n);
    const one = statSync(join(backing, "times"), { bigint: true });
    expect([one.atimeNs, one.mtimeNs]).toEqual([1_600_000_000_123_456_789n, 42n]);
    utimens(file, "now", "omit");
    expect(Date.now() - statSync(file).atimeMs).toBeLessThan(5_000);
  });

  test("gives new entries to the calling user and enforces permissions", () => {
    chmodSync(mounted, 0o777);
    const asUser = (script: string) =>
      execFileSync(
        "setpriv",
        ["--reuid=1234", "--regid=2345", "--clear-groups", "sh", "-c", script],
        { cwd: mounted, timeout: 10_000, encoding: "utf8" },
      );
    chmodSync(served.mountPoint, 0o755);
    chmodSync(join(served.mountPoint, ".."), 0o755);
    asUser("umask 027; echo x > f; mkdir d; ln -s f l; mkfifo p");
    for (const name of ["f", "d", "l", "p"]) {
      const { uid, gid } = lstatSync(join(backing, name));
      expect([name, uid, gid]).toEqual([name, 1234, 2345]);
    }
    expect(lstatSync(join(backing, "f")).mode & 0o777).toBe(0o640);
    writeFileSync(join(mounted, "secret"), "s", { mode: 0o600 });
    expect(asUser("cat secret 2>/dev/null || echo denied")).toBe("denied\n");
  });

  test("drops set-user-ID when somebody else writes", () => {
    const file = join(mounted, "program");
    writeFileSync(file, "x");
    chmodSync(file, 0o4777);
    chmodSync(mounted, 0o777);
    execFileSync("setpriv", ["--reuid=1234", "--clear-groups", "sh", "-c", "echo y >> program"], {
      cwd: mounted,
      timeout: 10_000,
    });
    expect(statSync(join(backing, "program")).mode & 0o7777).toBe(0o777);
  });

  test("changes mode, owner and size", () => {
    const file = join(mounted, "f");
    writeFileSync(file, "0123456789");
    chmodSync(file, 0o751);
    chownSync(file, 11, 22);
    truncateSync(file, 4);
    const { mode, uid, gid, size } = statSync(join(backing, "f"));
    expect([mode & 0o777, uid, gid, size]).toEqual([0o751, 11, 22, 4]);
    const fd = openSync(file, "r+");
    ftruncateSync(fd, 7);
    closeSync(fd);
    expect(readFileSync(file)).toEqual(Buffer.from("0123\0\0\0"));
  });

  test("opens with O_TRUNC, O_EXCL and O_APPEND", () => {
    const file = join(mounted, "f");
    writeFileSync(file, "long content");
    writeFileSync(file, "short");
    appendFileSync(file, " and more");
    expect(readFileSync(join(backing, "f"), "utf8")).toBe("short and more");
    expect(code(() => openSync(file, "wx"))).toBe("EEXIST");
  });

  test("renames with and without flags", () => {
    writeFileSync(at("a"), "A");
    writeFileSync(at("b"), "B");
    const noReplace = () => renameat2(AT_FDCWD, at("a"), AT_FDCWD, at("b"), { noReplace: true });
    expect(code(noReplace)).toBe("EEXIST");
    renameat2(AT_FDCWD, at("a"), AT_FDCWD, at("b"), { exchange: true });
    expect([readFileSync(at("a"), "utf8"), readFileSync(at("b"), "utf8")]).toEqual(["B", "A"]);
    renameSync(at("a"), at("b"));
    expect([readdirSync(backing), readFileSync(at("b"), "utf8")]).toEqual([["b"], "B"]);
  });

  test("follows a directory through renames and exchanges", () => {
    mkdirSync(at("one/deep"), { recursive: true });
    mkdirSync(at("two/deep"), { recursive: true });
    writeFileSync(at("one/deep/f"), "1");
    writeFileSync(at("two/deep/f"), "2");
    const fd = openSync(at("one/deep/f"), "r+");
    renameat2(AT_FDCWD, at("one"), AT_FDCWD, at("two"), { exchange: true });
    expect(readFileSync(at("one/deep/f"), "utf8")).toBe("2");
    renameSync(at("two"), at("three"));
    expect(readFileSync(at("three/deep/f"), "utf8")).toBe("1");
    writeSync(fd, "x");
    closeSync(fd);
    expect(readFileSync(at("three/deep/f"), "utf8")).toBe("x");
    expect(existsSync(at("two"))).toBe(false);
  });

  test("carries links, symlinks and special files", () => {
    writeFileSync(at("f"), "content");
    linkSync(at("f"), at("g"));
    expect(statSync(at("f")).nlink).toBe(2);
    writeFileSync(at("f"), "other");
    expect(readFileSync(at("g"), "utf8")).toBe("other");
    symlinkSync("f", at("l"));
    expect([readlinkSync(at("l")), readFileSync(at("l"), "utf8")]).toEqual(["f", "other"]);
    mknod(at("p"), constants.S_IFIFO | 0o640);
    mknod(at("c"), constants.S_IFCHR | 0o600, 0x103);
    expect(lstatSync(at("p")).isFIFO()).toBe(true);
    expect([lstatSync(at("c")).isCharacterDevice(), lstatSync(at("c")).rdev]).toEqual([
      true,
      0x103,
    ]);
    const types = readdirSync(mounted, { withFileTypes: true }).map((entry) => [
      entry.name,
      entry.isFIFO() || entry.isSymbolicLink() || entry.isCharacterDevice(),
    ]);
    expect(Object.fromEntries(types)).toEqual({ f: false, g: false, l: true, p: true, c: true });
  });

  test("carries extended attributes", () => {
    const file = join(mounted, "f");
    writeFileSync(file, "");
    const value = Buffer.from([0, 1, 255, 0]);
    lsetxattr(file, "user.a", value);
    lsetxattr(file, "user.empty", Buffer.alloc(0));
    expect(lgetxattr(file, "user.a")).toEqual(value);
    expect(lgetxattr(file, "user.empty")).toEqual(Buffer.alloc(0));
    expect(lgetxattr(file, "user.none")).toBeUndefined();
    expect(code(() => lsetxattr(file, "user.a", value, "create"))).toBe("EEXIST");
    expect(code(() => lsetxattr(file, "user.b", value, "replace"))).toBe("ENODATA");
    expect(llistxattr(file).map(String).toSorted()).toEqual(["user.a", "user.empty"]);
    lremovexattr(file, "user.a");
    expect(llistxattr(join(backing, "f")).map(String)).toEqual(["user.empty"]);
  });

  test("reads and writes in large and small pieces", () => {
    const file = join(mounted, "big");
    const mebibyte = Buffer.alloc(1 << 20, "0123456789abcdef!");
    const fd = openSync(file, "w+");
    for (let index = 0; index < 8; index += 1) writeSync(fd, mebibyte);
    writeSync(fd, "tail", 8 << 20);
    writeSync(fd, "mid", (1 << 20) - 1);
    fsyncSync(fd);
    const back = Buffer.alloc(5);
    readSync(fd, back, 0, 5, (1 << 20) - 2);
    closeSync(fd);
    expect(back.subarray(1, 4).toString()).toBe("mid");
    expect(readFileSync(file).equals(readFileSync(join(backing, "big")))).toBe(true);
    expect(statSync(file).size).toBe((8 << 20) + 4);
  });

  test("[C2] announces writes: the first of a handle and the first after a flush, or the open where none is seen", async () => {
    const before = await served.ask({ ask: "count" });
    const fd = openSync(join(mounted, "f"), "w");
    writeSync(fd, "a");
    writeSync(fd, "b");
    execFileSync("true", { stdio: [fd, "ignore", "ignore"], timeout: 10_000 });
    writeSync(fd, "c");
    closeSync(fd);
    const after = await served.ask({ ask: "count" });
    expect(after.willWriteCalls - before.willWriteCalls).toBe(driver === "kernel" ? 1 : 2);
  });

  test("allocates, finds holes and copies ranges", () => {
    const fd = openSync(join(mounted, "f"), "w+");
    fallocate(fd, 0, 0, 1 << 16);
    expect(statSync(join(backing, "f")).size).toBe(1 << 16);
    ftruncateSync(fd, 0);
    ftruncateSync(fd, 1 << 20);
    writeSync(fd, Buffer.alloc(4096, "x"), 0, 4096, 0);
    expect(seekHole(fd, 0)).toBe(4096);
    const copy = openSync(join(mounted, "g"), "w");
    expect(copyFileRange(fd, 0, copy, 0, 4096)).toBe(4096);
    closeSync(copy);
    closeSync(fd);
    expect(readFileSync(join(mounted, "g"), "utf8")).toBe("x".repeat(4096));
  });

  test("lists a directory of 5,000 names", () => {
    const names = Array.from({ length: 5_000 }, (_, index) => `name-${index}`);
    for (const name of names) writeFileSync(join(backing, name), "");
    expect(readdirSync(mounted).toSorted()).toEqual(names.toSorted());
  });

  test("answers with the errors of a local directory", () => {
    mkdirSync(join(mounted, "d"));
    writeFileSync(join(mounted, "d", "f"), "");
    expect(code(() => rmdirSync(join(mounted, "d")))).toBe("ENOTEMPTY");
    expect(code(() => unlinkSync(join(mounted, "none")))).toBe("ENOENT");
    expect(code(() => mkdirSync(join(mounted, "d")))).toBe("EEXIST");
    expect(code(() => readdirSync(join(mounted, "d", "f")))).toBe("ENOTDIR");
    expect(code(() => readlinkSync(join(mounted, "d", "f")))).toBe("EINVAL");
  });

  test("tells how much space there is", () => {
    expect(statfsSync(mounted).blocks).toBe(statfsSync(backing).blocks);
  });

  test("[C1] goes on serving while opens wait", async () => {
    for (let index = 0; index < 8; index += 1) mkdirSync(join(backing, `w${index}`));
    for (let index = 0; index < 8; index += 1) {
      writeFileSync(join(backing, `w${index}`, "slow-1500"), "late");
    }
    const reading = Array.from({ length: 8 }, (_, index) =>
      execFileAsync("cat", [join(mounted, `w${index}`, "slow-1500")]),
    );
    const started = performance.now();
    await execFileAsync("sh", ["-c", `echo now > ${mounted}/quick && cat ${mounted}/quick`]);
    expect(performance.now() - started).toBeLessThan(1_000);
    const contents = await Promise.all(reading);
    expect(contents.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 8 }, () => "late"));
  });

  test("reported no fault", async () => {
    expect((await served.ask({ ask: "count" })).errors).toEqual([]);
  });

  const countNodes = async () => (await served.ask({ ask: "count" })).nodeCount;

  test.runIf(driver === "fuse-native")(
    "keeps no node that was only passed by (nodes of the other driver are the kernel's)",
    async () => {
      // The root and the directories on the way: one per test, and a few inside.
      expect(await countNodes()).toBeLessThan(count + 20);
    },
  );

  test.runIf(driver === "kernel")(
    "keeps no node that the kernel has forgotten (libfuse does not say what it forgets)",
    async () => {
      const before = await countNodes();
      const made = Array.from({ length: 200 }, (_, index) => join(mounted, `made-${index}`));
      for (const path of made) writeFileSync(path, "x");
      expect(await countNodes()).toBeGreaterThan(200);
      for (const path of made) unlinkSync(path);
      await expect.poll(countNodes).toBeLessThanOrEqual(before + 1);
    },
  );
});
