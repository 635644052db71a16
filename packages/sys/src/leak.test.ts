import { closeSync, constants, readdirSync, writeFileSync } from "node:fs";

import { expect, test } from "vitest";

import { mkdirat, readlinkat, symlinkat, unlinkat } from "./names.ts";
import { openat } from "./open.ts";
import { readDirectory } from "./read-directory.ts";
import { fstatat } from "./stat.ts";
import { temporaryDirectory, type TemporaryDirectory } from "./testing/temporary-directory.ts";
import { utimensat } from "./times.ts";
import { lgetxattr, lsetxattr } from "./xattr.ts";

const CALLS_PER_ROUND = 10;
const ROUNDS = 10_000;
/** Of any one call, a leak of 100 bytes would exceed it. */
const RSS_SWING_BYTES = 2 ** 20;
const ATTEMPTS = 5;

test("100,000 calls, failing ones among them, leave descriptors and memory as they were", () => {
  expect(ROUNDS * CALLS_PER_ROUND).toBe(100_000);
  using directory = temporaryDirectory();
  const path = directory.join("file");
  writeFileSync(path, "");
  lsetxattr(path, "user.a", Buffer.alloc(1000));
  symlinkat("file", directory.fd, "link");
  const descriptors = openDescriptors();
  // JavaScript's heap grows in a few steps of some MiB and then stays; a leak grows every time.
  const growths: number[] = [];
  do {
    const rssBytes = process.memoryUsage.rss();
    repeat(ROUNDS, directory, path);
    growths.push(process.memoryUsage.rss() - rssBytes);
  } while (Math.min(...growths) > RSS_SWING_BYTES && growths.length < ATTEMPTS);
  expect(openDescriptors()).toEqual(descriptors);
  expect(Math.min(...growths)).toBeLessThanOrEqual(RSS_SWING_BYTES);
}, 60_000);

function repeat(rounds: number, directory: TemporaryDirectory, path: string): void {
  for (let round = 0; round < rounds; round += 1) {
    fstatat(directory.fd, "file");
    fstatat(directory.fd, "none", { throwIfNoEntry: false });
    utimensat(directory.fd, "file", 1n, 2n);
    lgetxattr(path, "user.a");
    lgetxattr(path, "user.none");
    readlinkat(directory.fd, "link");
    readDirectory(directory.fd);
    closeSync(openat(directory.fd, "file", constants.O_RDONLY));
    expectThrow(() => mkdirat(directory.fd, "file", 0o700));
    expectThrow(() => unlinkat(directory.fd, "a\0b"));
  }
}

/** vitest's own `expect` would allocate more than what is measured. */
function expectThrow(call: () => void): void {
  try {
    call();
  } catch {
    return;
  }
  throw new Error("Cannot go on: the call did not fail");
}

function openDescriptors(): string[] {
  return readdirSync("/proc/self/fd");
}
