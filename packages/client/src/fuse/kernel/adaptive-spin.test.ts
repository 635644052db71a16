import { expect, test } from "vitest";

import { AdaptiveSpin } from "./adaptive-spin.ts";

test("AdaptiveSpin waits awake as long as that brings requests", () => {
  const spin = new AdaptiveSpin(50);
  for (let nowMs = 0; nowMs < 100; nowMs += 1) {
    expect(spin.microsecondsAt(nowMs)).toBe(50);
    spin.turnEnded(nowMs % 4 === 0 ? 2 : 1, nowMs);
  }
});

test("AdaptiveSpin lets be what is in vain four times, and tries once after 10 ms", () => {
  const spin = new AdaptiveSpin(50);
  for (let turn = 0; turn < 3; turn += 1) spin.turnEnded(1, 0);
  expect(spin.microsecondsAt(0)).toBe(50);
  spin.turnEnded(1, 0);
  expect(spin.microsecondsAt(1)).toBe(0);
  spin.turnEnded(1, 9);
  expect(spin.microsecondsAt(10)).toBe(50);
  spin.turnEnded(1, 10);
  expect(spin.microsecondsAt(11)).toBe(0);
});

test("AdaptiveSpin waits awake again once a try brings a request", () => {
  const spin = new AdaptiveSpin(50);
  for (let turn = 0; turn < 4; turn += 1) spin.turnEnded(1, 0);
  spin.turnEnded(2, 10);
  spin.turnEnded(1, 10);
  expect(spin.microsecondsAt(10)).toBe(50);
});
