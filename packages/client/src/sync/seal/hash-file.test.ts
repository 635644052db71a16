import { hash, randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { FileHasher } from "./hash-file.ts";

const bytes = randomBytes(600_000);

let directory: string;
let fd: number;
let hasher: FileHasher;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "izo-hash-"));
  fd = openSync(join(directory, "file"), "w+");
  hasher = new FileHasher();
});

afterEach(async () => {
  await hasher[Symbol.asyncDispose]();
  closeSync(fd);
  rmSync(directory, { recursive: true });
});

test("FileHasher.follow() gives the hash of a file that was written meanwhile", async () => {
  using growing = hasher.follow(fd);
  for (let at = 0; at < bytes.length; at += 100_000) {
    writeSync(fd, bytes, at, 100_000, at);
    growing.advance(at + 50_000);
  }
  expect(await growing.finish(bytes.length)).toBe(hash("sha256", bytes));
});

test("FileHasher.follow() goes only as far as it was told, and several go on side by side", async () => {
  writeSync(fd, bytes, 0, bytes.length, 0);
  using first = hasher.follow(fd);
  using second = hasher.follow(fd);
  const left = hasher.follow(fd);
  for (const growing of [first, second, left]) growing.advance(1000);
  left[Symbol.dispose]();
  expect(await first.finish(2000)).toBe(hash("sha256", bytes.subarray(0, 2000)));
  expect(await second.finish(bytes.length)).toBe(hash("sha256", bytes));
  expect(await hasher.hash(fd, bytes.length)).toBe(hash("sha256", bytes));
});

test("FileHasher.settle() gives the hash of each file, and why one could not be read", async () => {
  const paths = Array.from({ length: 6 }, (_, index) => join(directory, String(index)));
  const fds = paths.map((path) => openSync(path, "w+"));
  try {
    for (const [index, file] of fds.entries()) writeSync(file, bytes, 0, index * 1000, 0);
    const at = openSync(directory, "r");
    fds.push(at);
    const settle = (files: number[]) =>
      hasher.settle(
        files.map((file) => ({ fd: file, sizeBytes: 5000 })),
        at,
      );
    const expected = paths.map((_, index) => hash("sha256", bytes.subarray(0, index * 1000)));
    expect(await settle(fds.slice(0, 2))).toEqual(expected.slice(0, 2));
    const found = await settle(fds);
    expect(found.slice(0, -1)).toEqual(expected);
    expect(found.at(-1)).toMatchObject({ message: expect.stringContaining("EISDIR") });
  } finally {
    for (const file of fds) closeSync(file);
  }
});

test("FileHasher.follow() fails for a file that cannot be read", async () => {
  using growing = hasher.follow(1_000_000);
  await expect(growing.finish(10)).rejects.toThrow("ENOENT");
});

describe("a sparse file that takes hours", () => {
  const HUGE_BYTES = 8 * 2 ** 40;

  beforeEach(() => ftruncateSync(fd, HUGE_BYTES));

  test("is left when it is removed", async () => {
    const hashed = hasher.hash(fd, HUGE_BYTES);
    rmSync(join(directory, "file"));
    await expect(hashed).rejects.toThrow("it was removed");
  });

  test("holds up no end", async () => {
    const hashed = hasher.hash(fd, HUGE_BYTES);
    const ended = delay(200).then(() => hasher[Symbol.asyncDispose]());
    await expect(hashed).rejects.toThrow("has ended");
    await ended;
  });
});
