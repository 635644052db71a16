import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";

import { expect, test } from "vitest";

import { O_PATH, openat } from "./open.ts";
import { fstat, fstatat } from "./stat.ts";
import { errorOf } from "./testing/error-of.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";
import { timeNsOf } from "./time-range.ts";
import { utimensat } from "./times.ts";

test("fstatat() agrees with Node's lstat in every field", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), "content");
  truncateSync(directory.join("file"), 2 ** 40);
  const node = lstatSync(directory.join("file"), { bigint: true });
  expect(fstatat(directory.fd, "file", { noFollow: true })).toEqual({
    dev: node.dev,
    ino: node.ino,
    mode: Number(node.mode),
    nlink: Number(node.nlink),
    uid: Number(node.uid),
    gid: Number(node.gid),
    rdev: 0,
    size: 2 ** 40,
    blocks: Number(node.blocks),
    atimeNs: node.atimeNs,
    mtimeNs: node.mtimeNs,
    ctimeNs: node.ctimeNs,
    btimeNs: node.birthtimeNs,
  });
});

test("fstatat() follows a symlink unless told not to", () => {
  using directory = temporaryDirectory();
  symlinkSync("nowhere", directory.join("link"));
  expect(errorOf(() => fstatat(directory.fd, "link")).code).toBe("ENOENT");
  const { mode } = fstatat(directory.fd, "link", { noFollow: true });
  expect(mode & constants.S_IFMT).toBe(constants.S_IFLNK);
});

test("fstatat() with throwIfNoEntry: false returns undefined for absence and for nothing else", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), "");
  symlinkSync("loop", directory.join("loop"));
  const stat = (path: string) => fstatat(directory.fd, path, { throwIfNoEntry: false });
  expect(stat("none")).toBeUndefined();
  expect(stat("file/none")).toBeUndefined();
  expect(stat("file")).toBeDefined();
  expect(errorOf(() => stat("loop")).code).toBe("ELOOP");
});

test("fstat() reads an open file that has lost its name, and an O_PATH descriptor", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), "abc");
  const open = openSync(directory.join("file"), "r");
  const named = openat(directory.fd, "file", O_PATH);
  try {
    unlinkSync(directory.join("file"));
    expect(fstat(open)).toMatchObject({ size: 3, nlink: 0 });
    expect(fstat(named)).toEqual(fstat(open));
  } finally {
    closeSync(open);
    closeSync(named);
  }
});

test("fstat() gives times that no 64 bits of nanoseconds can say as the nearest", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), "");
  // ext4 keeps times until 2446.
  utimensat(directory.fd, "file", 0n, 13_569_465_600_000_000_000n);
  expect(fstatat(directory.fd, "file").mtimeNs).toBe(2n ** 63n - 1n);
  expect(timeNsOf(-62_135_596_800, 0)).toBe(-(2n ** 63n));
  expect(timeNsOf(9_223_372_036, 854_775_807)).toBe(2n ** 63n - 1n);
  expect(timeNsOf(9_223_372_036, 1)).toBe(9_223_372_036_000_000_001n);
});
