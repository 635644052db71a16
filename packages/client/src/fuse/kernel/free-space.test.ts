import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { FreeSpace } from "./free-space.ts";

const MIB = 1024 * 1024;
const BLOCK_BYTES = 4096;

let freeMib = 0;
let asked: number[] = [];
let looks = 0;
let nowMs = 0;
let space: FreeSpace;

beforeEach(() => {
  vi.useFakeTimers();
  [freeMib, asked, looks, nowMs] = [100_000, [], 0, 0];
  const fileSystem = {
    statfs() {
      looks += 1;
      const blocksAvailable = (freeMib * MIB) / BLOCK_BYTES;
      return {
        blockSize: BLOCK_BYTES,
        blocks: blocksAvailable,
        blocksFree: blocksAvailable,
        blocksAvailable,
        files: 1,
        filesFree: 1,
      };
    },
    makeRoom(bytes: number) {
      asked.push(bytes / MIB);
      return Promise.resolve(true);
    },
  };
  space = new FreeSpace(fileSystem, { nowMs: () => nowMs, onError });
});

afterEach(() => {
  space[Symbol.dispose]();
  vi.useRealTimers();
});

function onError(error: unknown): void {
  expect.unreachable(String(error));
}

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 10) {
    nowMs += 10;
    // oxlint-disable-next-line no-await-in-loop -- clock and timers go on together
    await vi.advanceTimersByTimeAsync(10);
  }
}

test("FreeSpace says that space is short below 256 MiB, and looks again only when that can have changed", async () => {
  expect(space.isShort).toBe(false);
  freeMib = 100;
  expect(space.isShort).toBe(false);
  expect(looks).toBe(1);
  await pass(2_000);
  expect(space.isShort).toBe(true);
  freeMib = 300;
  await pass(20);
  expect(space.isShort).toBe(false);
});

test("FreeSpace makes the room that is missing while somebody writes past this process", async () => {
  freeMib = 200;
  await pass(1_000);
  expect(asked).toEqual([]);
  space.addWriter();
  await pass(20);
  expect(asked).toEqual([56]);
  freeMib = 100_000;
  await pass(20);
  const looksBefore = looks;
  await pass(4_000);
  expect(looks - looksBefore).toBeLessThan(4);
  expect(asked).toHaveLength(1);
});

test("FreeSpace looks at nothing when the last writer is gone", async () => {
  freeMib = 200;
  space.addWriter();
  space.addWriter();
  space.removeWriter();
  space.removeWriter();
  await pass(5_000);
  expect(looks).toBe(0);
});
