import { closeSync, mkdtempSync, openSync, rmSync, utimesSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { UnloggedWrites } from "./unlogged-writes.ts";

let directory = "";
let path = "";
let fd = -1;
let other = -1;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "izo-unlogged-"));
  path = join(directory, "f");
  fd = openSync(path, "w+");
  other = openSync(path, "r+");
});

afterEach(() => {
  closeSync(fd);
  closeSync(other);
  rmSync(directory, { recursive: true });
});

describe("UnloggedWrites", () => {
  test("knows what it was told of, until that is logged", () => {
    const unlogged = new UnloggedWrites();
    expect(unlogged.size).toBe(0);
    unlogged.add(fd);
    unlogged.add(other);
    expect([unlogged.has(fd), unlogged.size]).toEqual([true, 2]);
    unlogged.logging(fd, () => {});
    expect([unlogged.has(fd), unlogged.has(other)]).toEqual([false, true]);
    unlogged.delete(other);
    expect(unlogged.size).toBe(0);
  });

  test("asks a watched file, whoever wrote to it", () => {
    const unlogged = new UnloggedWrites();
    unlogged.watch(fd);
    expect(unlogged.has(fd)).toBe(false);
    writeSync(other, "same file");
    expect([unlogged.has(fd), unlogged.size]).toEqual([true, 1]);
    unlogged.logging(fd, () => {});
    expect(unlogged.has(fd)).toBe(false);
  });

  test("does not take for logged what is written while it is being logged", () => {
    const unlogged = new UnloggedWrites();
    unlogged.watch(fd);
    unlogged.logging(fd, () => void writeSync(fd, "late"));
    expect(unlogged.has(fd)).toBe(true);
  });

  test("logs what was written as it was found, and nothing else", () => {
    const unlogged = new UnloggedWrites();
    const sizes: number[] = [];
    const log = (): void => unlogged.loggingWritten(fd, ({ size }) => sizes.push(size));
    log();
    unlogged.watch(fd);
    log();
    expect(sizes).toEqual([]);
    writeSync(fd, "four");
    log();
    log();
    expect(sizes).toEqual([4]);
  });

  test("goes on where it was with another descriptor of the file", () => {
    const unlogged = new UnloggedWrites();
    unlogged.watch(fd);
    writeSync(fd, "before");
    unlogged.hand(fd, other);
    expect([unlogged.isWatched(fd), unlogged.has(other)]).toEqual([false, true]);
    unlogged.logging(other, () => {});
    expect(unlogged.size).toBe(0);
    writeSync(fd, "after");
    expect(unlogged.has(other)).toBe(true);
  });

  test("one record speaks for all descriptors of the file", () => {
    const unlogged = new UnloggedWrites();
    unlogged.watch(fd);
    unlogged.watch(other);
    writeSync(fd, "once");
    expect(unlogged.size).toBe(2);
    unlogged.logging(fd, () => {});
    expect(unlogged.size).toBe(0);
  });

  test("keeps its claim when logging fails", () => {
    const unlogged = new UnloggedWrites();
    unlogged.watch(fd);
    writeSync(fd, "x");
    expect(() =>
      unlogged.logging(fd, () => {
        throw new Error("no space");
      }),
    ).toThrow("no space");
    expect(unlogged.has(fd)).toBe(true);
  });

  test("a time that is set is no write, and hides none", () => {
    const unlogged = new UnloggedWrites();
    unlogged.watch(fd);
    unlogged.settingTime(() => utimesSync(path, 1, 1));
    expect(unlogged.has(fd)).toBe(false);
    writeSync(fd, "x");
    unlogged.settingTime(() => utimesSync(path, 1, 1));
    expect(unlogged.has(fd)).toBe(true);
  });
});
