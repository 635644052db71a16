import { closeSync, lstatSync, openSync, symlinkSync, writeFileSync } from "node:fs";

import { expect, test } from "vitest";

import { fstat, fstatat } from "./stat.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";
import { nearestTimeNs } from "./time-range.ts";
import { futimens, utimens, utimensat } from "./times.ts";

const TIMES = [
  { description: "today", timeNs: 1_700_000_000_123_456_789n },
  { description: "the last nanosecond before 1970", timeNs: -1n },
  { description: "long before 1970", timeNs: -1_000_000_000_999_999_999n },
  { description: "1970", timeNs: 0n },
  { description: "2300, beyond 64 bits of nanoseconds", timeNs: 10_413_792_000_123_456_789n },
];

test.each(TIMES)("utimens() keeps every nanosecond: $description", ({ timeNs }) => {
  using directory = temporaryDirectory();
  const path = directory.join("file");
  writeFileSync(path, "");
  utimens(path, timeNs, timeNs);
  const stat = fstatat(directory.fd, "file");
  expect(stat.atimeNs).toBe(nearestTimeNs(timeNs));
  expect(stat.mtimeNs).toBe(nearestTimeNs(timeNs));
  expect(lstatSync(path, { bigint: true }).mtimeNs).toBe(timeNs);
});

test("futimens() sets one time and leaves the other", () => {
  using directory = temporaryDirectory();
  const fd = openSync(directory.join("file"), "w");
  try {
    futimens(fd, 1_123_456_789n, 2_123_456_789n);
    futimens(fd, "omit", 3_000_000_001n);
    expect(fstat(fd)).toMatchObject({ atimeNs: 1_123_456_789n, mtimeNs: 3_000_000_001n });
  } finally {
    closeSync(fd);
  }
});

test("utimensat() takes the kernel's clock for `now`", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), "");
  utimensat(directory.fd, "file", 0n, 0n);
  // The kernel stamps with the time of its last tick, up to 10 ms ago.
  const earliest = BigInt(Date.now() - 20) * 1_000_000n;
  utimensat(directory.fd, "file", "omit", "now");
  const stat = fstatat(directory.fd, "file");
  expect(stat.atimeNs).toBe(0n);
  expect(stat.mtimeNs).toBeGreaterThan(earliest);
});

test("utimens() with noFollow sets the symlink's own times", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), "");
  utimens(directory.join("file"), 5n, 5n);
  symlinkSync("file", directory.join("link"));
  utimens(directory.join("link"), 7n, 7n, { noFollow: true });
  expect(fstatat(directory.fd, "link", { noFollow: true }).mtimeNs).toBe(7n);
  expect(fstatat(directory.fd, "link").mtimeNs).toBe(5n);
});
