import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

import { AT_FDCWD, fchmodat, futimens } from "@izo/sys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { DRIVERS } from "./driver-name.ts";
import { type ServedMount, servePassThrough } from "./testing/served-mount.ts";

describe.each(DRIVERS)("open files of the driver %s", (driver) => {
  let served: ServedMount;

  beforeAll(async () => {
    served = await servePassThrough(driver);
  });

  afterAll(async () => {
    await served[Symbol.asyncDispose]();
  });

  function directory(name: string) {
    const mounted = join(served.mountPoint, name);
    mkdirSync(mounted);
    return { mounted, backing: join(served.backing, name) };
  }

  describe("an open file that loses its name", () => {
    test("goes on to work, and its name and all traces are gone at once", () => {
      const { mounted, backing } = directory("unlinked");
      const file = join(mounted, "f");
      const fd = openSync(file, "w+");
      writeSync(fd, "before");
      unlinkSync(file);
      expect([readdirSync(mounted), readdirSync(backing)]).toEqual([[], []]);
      expect(existsSync(file)).toBe(false);

      writeSync(fd, " after");
      ftruncateSync(fd, 9);
      futimens(fd, 1n, 2n);
      const content = Buffer.alloc(20);
      expect(content.toString("utf8", 0, readSync(fd, content, 0, 20, 0))).toBe("before af");
      const stat = fstatSync(fd, { bigint: true });
      expect([stat.size, stat.mtimeNs, stat.nlink]).toEqual([9n, 2n, 0n]);

      writeFileSync(file, "another");
      unlinkSync(file);
      rmdirSync(mounted);
      expect(existsSync(backing)).toBe(false);
      writeSync(fd, "still", 0);
      expect(content.toString("utf8", 0, readSync(fd, content, 0, 5, 0))).toBe("still");
      closeSync(fd);
      expect(readdirSync(served.backing)).not.toContain("unlinked");
    });

    test("can be opened again through /proc while it lives", () => {
      const { mounted } = directory("reopened");
      const file = join(mounted, "f");
      writeFileSync(file, "content");
      const fd = openSync(file, "r+");
      unlinkSync(file);
      const again = openSync(`/proc/self/fd/${fd}`, "r");
      closeSync(fd);
      expect(readFileSync(again, "utf8")).toBe("content");
      fchmodat(AT_FDCWD, `/proc/self/fd/${again}`, 0o600);
      expect(fstatSync(again).mode & 0o777).toBe(0o600);
      closeSync(again);
    });

    test("is replaced by rename in one step, and keeps its content", async () => {
      const { mounted, backing } = directory("replaced");
      const file = join(mounted, "f");
      writeFileSync(file, "old");
      const fd = openSync(file, "r");
      writeFileSync(join(mounted, "new"), "new content");
      const replacing = statSync(join(backing, "new")).ino;
      const { unlinkCalls } = await served.ask({ ask: "count" });
      renameSync(join(mounted, "new"), file);
      expect((await served.ask({ ask: "count" })).unlinkCalls).toBe(unlinkCalls);
      expect(readdirSync(backing)).toEqual(["f"]);
      expect(statSync(join(backing, "f")).ino).toBe(replacing);
      expect(readFileSync(file, "utf8")).toBe("new content");
      expect(readFileSync(fd, "utf8")).toBe("old");
      closeSync(fd);
      expect(readFileSync(file, "utf8")).toBe("new content");
    });

    test("keeps a name that only looks hidden", () => {
      const { mounted } = directory("lookalike");
      const file = join(mounted, "f");
      const lookalike = join(mounted, ".fuse_hidden00000001ffff0000");
      writeFileSync(file, "mine");
      const fd = openSync(file, "r");
      renameSync(file, lookalike);
      closeSync(fd);
      expect(readFileSync(lookalike, "utf8")).toBe("mine");
      expect(readdirSync(mounted)).toEqual([".fuse_hidden00000001ffff0000"]);
    });

    test("reported no fault in all of this", async () => {
      expect((await served.ask({ ask: "count" })).errors).toEqual([]);
    });
  });
});
