import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { QuickWake } from "./quick-wake.ts";
import { LOOK_MS } from "./request-bursts.ts";

/** What the kernel was asked for, in turn; "closed" at the end. */
let asked: (number | string | null)[] = [];
let failure: Error | undefined;

const request = {
  set(limitUs: number | null): void {
    if (failure !== undefined) throw failure;
    asked.push(limitUs);
  },
  [Symbol.dispose]: () => void asked.push("closed"),
};

beforeEach(() => {
  asked = [];
  failure = undefined;
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function quickWake(): QuickWake {
  return new QuickWake(
    { limitUs: 0, isBounded: true },
    () => request,
    () => performance.now(),
  );
}

test("QuickWake asks once while programs ask often, and for nothing when they pause", () => {
  using wake = quickWake();
  wake.note(31);
  expect(asked).toEqual([]);
  wake.note(1);
  expect(asked).toEqual([0]);
  for (let round = 0; round < 10; round += 1) {
    wake.note(100);
    vi.advanceTimersByTime(LOOK_MS);
  }
  expect(asked).toEqual([0]);
  expect(wake.facts()).toMatchObject({ isHeld: true, times: 1, totalMs: 10 * LOOK_MS });
  vi.advanceTimersByTime(LOOK_MS);
  expect(asked).toEqual([0, null]);
  expect(wake.facts()).toMatchObject({ isHeld: false, times: 1, totalMs: 11 * LOOK_MS });
});

test("QuickWake has no timer while programs do not ask often", () => {
  using wake = quickWake();
  wake.note(31);
  expect(vi.getTimerCount()).toBe(0);
  wake.note(1);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(LOOK_MS);
  expect(vi.getTimerCount()).toBe(0);
});

test("QuickWake takes back what it asks for when the mount ends", () => {
  const wake = quickWake();
  wake.note(100);
  wake[Symbol.dispose]();
  expect(asked).toEqual([0, null, "closed"]);
  expect(vi.getTimerCount()).toBe(0);
  wake.note(100);
  expect(asked).toHaveLength(3);
});

function refuse(): never {
  throw new Error("EACCES: permission denied");
}

test("QuickWake says why it never asks", () => {
  using wake = new QuickWake({ limitUs: 0, isBounded: true }, refuse, () => 0);
  wake.note(100);
  expect(wake.facts()).toMatchObject({ limitUs: null, obstacle: "EACCES: permission denied" });
  using off = new QuickWake("asked for", refuse, () => 0);
  expect(off.facts().obstacle).toBe("asked for");
});

test("QuickWake lets go of a request that the kernel refuses, and goes on without", () => {
  using wake = quickWake();
  failure = new Error("EINVAL");
  wake.note(100);
  expect(asked).toEqual(["closed"]);
  expect(wake.facts()).toMatchObject({ isHeld: false, obstacle: "EINVAL" });
  expect(vi.getTimerCount()).toBe(0);
});
