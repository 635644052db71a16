import { execFileSync } from "node:child_process";
import { mkdirSync, openSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { ROOT_OID, type Name } from "@izo/core";
import { fstatat, lsetxattr } from "@izo/sys";
import { expect, test } from "vitest";

import { isUnchanged } from "../../db/disk-notes.ts";
import { temporaryDirectory } from "../../testing/temporary-export.ts";
import { readFoundEntry } from "../tree/found-entry.ts";
import { heldFd, openRoot } from "../tree/tree-directory.ts";
import { msUntilRested, readWhenRested } from "./read-when-rested.ts";

/** A directory whose file system has no other than coarse times, whatever the kernel. */
async function coarseDisk(): Promise<AsyncDisposable & { readonly dir: string }> {
  const temporary = await temporaryDirectory();
  const [image, dir] = [join(temporary.dir, "image"), join(temporary.dir, "mounted")];
  mkdirSync(dir);
  writeFileSync(image, "");
  truncateSync(image, 4 * 1024 * 1024);
  execFileSync("mkfs.ext4", ["-q", "-t", "ext2", image]);
  execFileSync("mount", ["-t", "ext2", "-o", "loop", image, dir]);
  return {
    dir,
    [Symbol.asyncDispose]: async () => {
      execFileSync("umount", ["--lazy", dir]);
      await temporary[Symbol.asyncDispose]();
    },
  };
}

test("readWhenRested() gives an entry whose times tell of every later change, where the clock is coarse [S2]", async () => {
  await using disk = await coarseDisk();
  using root = heldFd(openRoot(disk.dir));
  const path = join(disk.dir, "f");
  using writer = heldFd(openSync(path, "w"));
  const name = Buffer.from("f");
  const read = () =>
    readFoundEntry(
      root.fd,
      ROOT_OID,
      "f" as Name,
      name,
      fstatat(root.fd, name, { noFollow: true }),
    );
  const isSeen = (before: ReturnType<typeof read>) => !isUnchanged(before.note, read().note);
  let unseen = 0;
  for (let round = 0; round < 10; round += 1) {
    writeSync(writer.fd, "a", 0);
    const young = read();
    writeSync(writer.fd, "b", 0);
    lsetxattr(path, "user.k", Buffer.from(String(round)));
    if (!isSeen(young)) unseen += 1;
    // What was found young may be asked about later, when only the clock says that it rests.
    if (round % 2 === 1) await delay(12);
    const rested = await readWhenRested(root.fd, young);
    expect(rested!.xattrs.get("user.k")).toEqual(new Uint8Array(Buffer.from(String(round))));
    writeSync(writer.fd, "c", 0);
    expect(isSeen(rested!)).toBe(true);
  }
  // Else this would show nothing.
  expect(unseen).toBeGreaterThan(0);
});

test("msUntilRested() waits for nothing but the clock", () => {
  const note = { ctimeNs: 1_000_000_000n } as Parameters<typeof msUntilRested>[0];
  expect([1_000, 1_005, 1_011, 2_000].map((nowMs) => msUntilRested(note, nowMs))).toEqual([
    11, 6, 0, 0,
  ]);
  expect(msUntilRested(note, 900)).toBe(0);
});
