import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, truncateSync, writeFileSync } from "node:fs";

import { expect, test } from "vitest";

import { copyFileRange, reflink } from "./copy-in-kernel.ts";
import { syncfs } from "./syncfs.ts";
import { errorOf } from "./testing/error-of.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";
import { umount2 } from "./umount.ts";

test("copyFileRange() copies a range to an offset, and ends with 0", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("from"), "0123456789");
  const from = openSync(directory.join("from"), "r");
  const to = openSync(directory.join("to"), "w+");
  try {
    expect(copyFileRange(from, 2, to, 3n, 4)).toBe(4);
    expect(readFileSync(directory.join("to"), "utf8")).toBe("\u0000\u0000\u00002345");
    expect(copyFileRange(from, 10, to, 0, 4)).toBe(0);
    expect(errorOf(() => copyFileRange(from, 0, to, 0, -1)).code).toBe("EINVAL");
  } finally {
    closeSync(from);
    closeSync(to);
  }
});

test("reflink() refuses what cannot share with an error, and changes nothing", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("to"), "old");
  const to = openSync(directory.join("to"), "r+");
  const from = openSync("/proc/version", "r");
  try {
    expect(["EXDEV", "EINVAL", "ENOTSUP", "ENOTTY"]).toContain(
      errorOf(() => reflink(from, to)).code,
    );
    expect(readFileSync(directory.join("to"), "utf8")).toBe("old");
  } finally {
    closeSync(from);
    closeSync(to);
  }
});

test.runIf(canMakeXfs())(
  "reflink() shares the content on XFS, and umount2() ends the mount",
  () => {
    using directory = temporaryDirectory();
    const image = directory.join("image");
    const mountPoint = directory.join("mnt");
    writeFileSync(image, "");
    truncateSync(image, 512 * 2 ** 20);
    execFileSync("mkfs.xfs", ["-q", "-m", "reflink=1", image]);
    mkdirSync(mountPoint);
    execFileSync("mount", ["-o", "loop", image, mountPoint]);
    try {
      writeFileSync(`${mountPoint}/from`, "shared");
      const from = openSync(`${mountPoint}/from`, "r");
      const to = openSync(`${mountPoint}/to`, "w+");
      reflink(from, to);
      syncfs(to);
      closeSync(from);
      closeSync(to);
      expect(readFileSync(`${mountPoint}/to`, "utf8")).toBe("shared");
    } finally {
      umount2(mountPoint, { lazy: true, noFollow: true });
    }
    expect(errorOf(() => umount2(mountPoint, { lazy: true })).code).toBe("EINVAL");
  },
);

function canMakeXfs(): boolean {
  if (process.getuid?.() !== 0) {
    return false;
  }
  try {
    execFileSync("mkfs.xfs", ["-V"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
