import { expect, test } from "vitest";

import { LOOK_MS, RequestBursts } from "./request-bursts.ts";

/** A program that is answered `perMs` times a millisecond from `fromMs` until `untilMs`: whether there is a burst after each look. */
function ask(bursts: RequestBursts, perMs: number, fromMs: number, untilMs: number): boolean[] {
  const looks: boolean[] = [];
  let isBurst = false;
  for (let nowMs = fromMs; nowMs < untilMs; nowMs += 1) {
    isBurst = bursts.note(perMs, nowMs);
    if ((nowMs - fromMs) % LOOK_MS !== LOOK_MS - 1) continue;
    if (isBurst) isBurst = bursts.look(nowMs);
    looks.push(isBurst);
  }
  return looks;
}

test("RequestBursts begin with 32 requests within 8 ms, also when they come in one turn", () => {
  const bursts = new RequestBursts({ isBounded: true });
  expect(bursts.note(31, 100)).toBe(false);
  expect(bursts.note(1, 108)).toBe(true);
  expect(new RequestBursts({ isBounded: true }).note(32, 0)).toBe(true);
});

test("RequestBursts do not begin where the same number takes longer", () => {
  const bursts = new RequestBursts({ isBounded: true });
  expect(ask(bursts, 3, 0, 1000)).not.toContain(true);
  expect(bursts.note(31, 2000)).toBe(false);
  expect(bursts.note(31, 2009)).toBe(false);
});

test("RequestBursts go on with fewer requests than they begin with, and end with a pause", () => {
  const bursts = new RequestBursts({ isBounded: true });
  bursts.note(32, 0);
  expect(ask(bursts, 1, 1, 1001)).not.toContain(false);
  expect(bursts.note(19, 1010)).toBe(true);
  expect(bursts.look(1021)).toBe(false);
  expect(bursts.note(31, 1022)).toBe(false);
});

test("RequestBursts end after half a minute where they are bounded, and then last a quarter of the time", () => {
  const bursts = new RequestBursts({ isBounded: true });
  const first = ask(bursts, 10, 0, 30_100);
  expect(first.slice(0, 29_900 / LOOK_MS)).not.toContain(false);
  expect(first.at(-1)).toBe(false);
  const later = ask(bursts, 10, 30_100, 630_100);
  const share = later.filter(Boolean).length / later.length;
  expect(share).toBeGreaterThan(0.15);
  expect(share).toBeLessThan(0.25);
});

test("RequestBursts have their time again after a pause of two minutes", () => {
  const bursts = new RequestBursts({ isBounded: true });
  ask(bursts, 10, 0, 31_000);
  expect(ask(bursts, 10, 151_000, 180_000)).not.toContain(false);
});

test("RequestBursts last as long as programs ask where they are not bounded", () => {
  const bursts = new RequestBursts({ isBounded: false });
  expect(ask(bursts, 10, 0, 100_000)).not.toContain(false);
});
