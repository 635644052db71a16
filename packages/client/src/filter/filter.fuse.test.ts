import { execFile } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fdatasyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { lgetxattr, llistxattr, lsetxattr, mknod, utimens } from "@izo/sys";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { DRIVERS } from "../fuse/driver-name.ts";
import { ServedCache } from "../testing/served-cache.ts";

const run = promisify(execFile);

/** Closes a file whose server is gone. Only one of the drivers is told of each close, and so says ENOTCONN. */
function closeOrphan(fd: number): void {
  try {
    closeSync(fd);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOTCONN")) throw error;
  }
}

describe.each(DRIVERS)("the filter behind the driver %s", (driver) => {
  let served: ServedCache;
  let mnt = "";

  beforeEach(async () => {
    served = await ServedCache.start(driver);
    mnt = served.mountPoint;
  });

  afterEach(async () => {
    await served[Symbol.asyncDispose]();
  });
  describe("through a real mount", () => {
    test("a time that no 64 bits of nanoseconds can say becomes the nearest", async () => {
      writeFileSync(join(mnt, "a"), "");
      // The year 2400, which ext4 keeps.
      utimens(join(mnt, "a"), 0n, 13_569_465_600_000_000_000n);
      expect(statSync(join(mnt, "a"), { bigint: true }).mtimeNs).toBe(2n ** 63n - 1n);
    });

    test("what is further down than one path can say is as any other", async () => {
      // 17 names of 250 bytes: the kernel takes 4,095 bytes at once, and a program goes there in steps.
      const script = `
        for i in $(seq 17); do mkdir "$0" && cd -P "./$0" || exit 1; done
        mkdir d && echo hello > d/f && mv d/f g && ln g h && ln -s g l && mkfifo p &&
        chmod 600 g && rm h && rmdir d && cat l && ls`;
      const { stdout } = await run("sh", ["-c", script, "n".repeat(250)], { cwd: mnt });
      expect(stdout).toBe("hello\ng\nl\np\n");
      await run("rm", ["-r", "n".repeat(250)], { cwd: mnt });
      expect(readdirSync(mnt)).toEqual([]);
    });

    test("each operation is one record, in order", async () => {
      writeFileSync(join(mnt, "a"), "hello");
      mkdirSync(join(mnt, "d"));
      renameSync(join(mnt, "a"), join(mnt, "d", "b"));
      linkSync(join(mnt, "d", "b"), join(mnt, "c"));
      symlinkSync("d/b", join(mnt, "l"));
      mknod(join(mnt, "fifo"), 0o010644);
      chmodSync(join(mnt, "c"), 0o600);
      chownSync(join(mnt, "c"), 5, 6);
      utimens(join(mnt, "c"), 1n, 1_600_000_000_123_456_789n);
      lsetxattr(join(mnt, "c"), "user.colour", Buffer.from("red"));
      truncateSync(join(mnt, "c"), 2);
      appendFileSync(join(mnt, "c"), "y");
      unlinkSync(join(mnt, "l"));
      mkdirSync(join(mnt, "e"));
      rmdirSync(join(mnt, "e"));

      expect(readFileSync(join(mnt, "d", "b"), "utf8")).toBe("hey");
      expect(statSync(join(mnt, "c"))).toMatchObject({ uid: 5, gid: 6, nlink: 2 });
      expect(statSync(join(mnt, "c")).mode & 0o7777).toBe(0o600);
      expect(lgetxattr(join(mnt, "c"), "user.colour")?.toString()).toBe("red");
      expect(llistxattr(join(mnt, "c")).map(String)).toEqual(["user.colour"]);
      expect(readdirSync(mnt).toSorted()).toEqual(["c", "d", "fifo"]);
      expect(await served.pending()).toEqual([
        "CREATE /a",
        "CLOSE /a",
        "MKDIR /d",
        "RENAME /a /d/b",
        "LINK /c",
        "SYMLINK /l",
        "MKNOD /fifo",
        "SETATTR /d/b",
        "SETATTR /d/b",
        "SETATTR /d/b",
        "SETEXTATTR /d/b",
        "CLOSE /d/b",
        "CLOSE /d/b",
        "UNLINK /l",
        "MKDIR /e",
        "RMDIR /e",
      ]);
      expect((await served.ask()).errors).toEqual([]);
    });

    test("files belong to the caller, with the mode that his umask leaves", async () => {
      chmodSync(mnt, 0o777);
      await run("sh", ["-c", `umask 027; echo x >"$0/mine"; mkdir "$0/dir"`, mnt], {
        uid: 1234,
        gid: 4321,
      });
      expect(lstatSync(join(mnt, "mine"))).toMatchObject({ uid: 1234, gid: 4321, mode: 0o100640 });
      expect(lstatSync(join(mnt, "dir"))).toMatchObject({ uid: 1234, gid: 4321, mode: 0o040750 });
      await expect(run("cat", [join(mnt, "mine")], { uid: 1, gid: 1 })).rejects.toThrow(
        "Permission denied",
      );
    });

    test("[D2] an editor's save keeps the object", async () => {
      writeFileSync(join(mnt, "a"), "old");
      writeFileSync(join(mnt, ".a.swp"), "new");
      renameSync(join(mnt, ".a.swp"), join(mnt, "a"));
      expect(readFileSync(join(mnt, "a"), "utf8")).toBe("new");
      const { pending } = await served.ask();
      expect(pending.at(-1)).toMatchObject({ opcode: "RENAME", keepsOid: true });
    });

    test("names that are not ASCII, long, or too long", () => {
      for (const name of ["ümläut 文字", " leading", "a\nb", "x".repeat(255)]) {
        writeFileSync(join(mnt, name), name);
        expect(readFileSync(join(mnt, name), "utf8")).toBe(name);
      }
      expect(() => writeFileSync(join(mnt, "x".repeat(256)), "")).toThrow("ENAMETOOLONG");
    });

    test("an open file that is removed stays readable, and its directory can be removed", () => {
      mkdirSync(join(mnt, "d"));
      const fd = openSync(join(mnt, "d", "f"), "w+");
      writeSync(fd, "still here");
      rmSync(join(mnt, "d", "f"));
      rmdirSync(join(mnt, "d"));
      writeSync(fd, "!");
      closeSync(fd);
      expect(existsSync(join(mnt, "d"))).toBe(false);
    });

    test("git, tar and a shell loop work", async () => {
      const script = `
      set -e; cd "$0"; git init -q r; cd r
      git config user.email a@b; git config user.name n
      for i in $(seq 50); do echo $i >f$i; done; ln -s f1 l
      git add .; git commit -qm one; git mv f1 g1; git commit -qm two
      test -z "$(git status --porcelain)"; git fsck --strict 2>&1
      cd ..; tar cf t.tar r; mkdir x; tar xf t.tar -C x; diff -r --no-dereference r x/r`;
      await run("sh", ["-c", script, mnt], { timeout: 40_000 });
      expect((await served.ask()).errors).toEqual([]);
    });
  });

  describe("after the serving process is gone", () => {
    test("[C6] kill -9 loses nothing that was written, closed or not", async () => {
      writeFileSync(join(mnt, "closed"), "closed");
      const fd = openSync(join(mnt, "open"), "w");
      writeSync(fd, "written, not closed");
      fdatasyncSync(fd);
      mkdirSync(join(mnt, "d"));
      renameSync(join(mnt, "closed"), join(mnt, "d", "moved"));
      symlinkSync("x", join(mnt, "l"));
      await served.stop("SIGKILL");
      closeOrphan(fd);
      const { recovered } = await served.start();

      expect(recovered).toEqual(["/open"]);
      expect(readFileSync(join(mnt, "d", "moved"), "utf8")).toBe("closed");
      expect(readFileSync(join(mnt, "open"), "utf8")).toBe("written, not closed");
      expect(readlinkSync(join(mnt, "l"))).toBe("x");
      expect(await served.pending()).toEqual([
        "CREATE /closed",
        "CLOSE /closed",
        "CREATE /open",
        "MKDIR /d",
        "RENAME /closed /d/moved",
        "SYMLINK /l",
        "CLOSE /open",
      ]);
    });

    test("SIGTERM ends it cleanly, and the next mount has everything", async () => {
      writeFileSync(join(mnt, "a"), "1");
      await served.stop("SIGTERM");
      expect(readdirSync(mnt)).toEqual([]);
      const { recovered } = await served.start();
      expect(recovered).toBeNull();
      expect(readFileSync(join(mnt, "a"), "utf8")).toBe("1");
    });
  });
});
