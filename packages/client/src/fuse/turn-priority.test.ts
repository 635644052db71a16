import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { TURN_LOOK_MS, TurnPriority } from "./turn-priority.ts";

/** What the session was given, in turn; "closed" at the end. */
let given: (number | "closed")[] = [];
let failure: string | undefined;

const session = {
  set(nice: number): void {
    if (failure !== undefined) throw Object.assign(new Error(failure), { code: failure });
    given.push(nice);
  },
  [Symbol.dispose]: () => void given.push("closed"),
};

beforeEach(() => {
  given = [];
  failure = undefined;
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function turnPriority(): TurnPriority {
  return new TurnPriority(session, -10, () => performance.now());
}

function note(priority: TurnPriority, turns: number): void {
  for (let turn = 0; turn < turns; turn += 1) priority.noteAnswered();
}

test("TurnPriority raises the session while programs ask, and no longer", () => {
  using priority = turnPriority();
  note(priority, 3);
  expect(given).toEqual([]);
  note(priority, 1);
  expect(given).toEqual([-10]);
  vi.advanceTimersByTime(TURN_LOOK_MS);
  for (let round = 0; round < 10; round += 1) {
    note(priority, 1);
    vi.advanceTimersByTime(TURN_LOOK_MS);
  }
  expect(given).toEqual([-10]);
  vi.advanceTimersByTime(TURN_LOOK_MS);
  expect(given).toEqual([-10, 0]);
  expect(vi.getTimerCount()).toBe(0);
});

test("TurnPriority leaves all as it is where a program asks now and then", () => {
  using priority = turnPriority();
  for (let round = 0; round < 20; round += 1) {
    note(priority, 3);
    vi.advanceTimersByTime(41);
  }
  expect(given).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test("TurnPriority takes back what it has asked for when it ends", () => {
  const priority = turnPriority();
  note(priority, 4);
  priority[Symbol.dispose]();
  expect(given).toEqual([-10, 0, "closed"]);
  expect(vi.getTimerCount()).toBe(0);
});

test("TurnPriority looks again where the kernel did not take the ordinary priority", () => {
  using priority = turnPriority();
  note(priority, 4);
  vi.advanceTimersByTime(TURN_LOOK_MS);
  failure = "EAGAIN";
  vi.advanceTimersByTime(TURN_LOOK_MS);
  failure = undefined;
  expect(given).toEqual([-10]);
  vi.advanceTimersByTime(TURN_LOOK_MS);
  expect(given).toEqual([-10, 0]);
});

test("TurnPriority asks for nothing more where it is not allowed to", () => {
  using priority = turnPriority();
  failure = "EPERM";
  note(priority, 4);
  failure = undefined;
  note(priority, 8);
  expect(given).toEqual(["closed"]);
  expect(vi.getTimerCount()).toBe(0);
});
