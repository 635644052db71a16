import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";

import { expect, test } from "vitest";

import { FALLOC, fallocate } from "./allocate.ts";
import { seekData, seekHole } from "./seek.ts";
import { fstat } from "./stat.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";

const MIB = 2 ** 20;

test("seekData() and seekHole() find what is written between two holes", () => {
  using directory = temporaryDirectory();
  const fd = openSync(directory.join("file"), "w+");
  try {
    writeSync(fd, Buffer.alloc(MIB, 1), 0, MIB, MIB);
    ftruncateSync(fd, 3 * MIB);
    expect(seekData(fd, 0)).toBe(MIB);
    expect(seekHole(fd, MIB)).toBe(2 * MIB);
    expect(seekHole(fd, BigInt(MIB))).toBe(2 * MIB);
    expect(seekData(fd, 2 * MIB)).toBeUndefined();
    expect(seekHole(fd, 3 * MIB)).toBeUndefined();
  } finally {
    closeSync(fd);
  }
});

test("fallocate() punches a hole and reserves space without changing the size", () => {
  using directory = temporaryDirectory();
  const fd = openSync(directory.join("file"), "w+");
  try {
    writeSync(fd, Buffer.alloc(2 * MIB, 1));
    fallocate(fd, FALLOC.PUNCH_HOLE | FALLOC.KEEP_SIZE, 0, MIB);
    expect(seekData(fd, 0)).toBe(MIB);
    fallocate(fd, FALLOC.KEEP_SIZE, 2 * MIB, MIB);
    expect(fstat(fd).size).toBe(2 * MIB);
    fallocate(fd, 0, 2 * MIB, MIB);
    expect(fstat(fd).size).toBe(3 * MIB);
  } finally {
    closeSync(fd);
  }
});
