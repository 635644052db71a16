import { setTimeout as delay } from "node:timers/promises";

import { expect, test } from "vitest";

import { QuietMoments } from "./quiet-moments.ts";

const never = new AbortController().signal;

test("QuietMoments makes nobody wait who comes when nothing was changed for a moment", async () => {
  let nowMs = 1_000;
  const quiet = new QuietMoments(() => nowMs);
  await quiet.wait(never);
  quiet.note();
  nowMs += 2;
  await quiet.wait(never);
  expect(nowMs).toBe(1_002);
});

test("QuietMoments gives who has made a file the time to write it, and does not wait once it is closed", async () => {
  let nowMs = 1_000;
  const quiet = new QuietMoments(() => nowMs);
  quiet.note(true);
  nowMs += 3;
  let hasWaited = false;
  const waiting = quiet.wait(never).then(() => void (hasWaited = true));
  await delay(20);
  expect(hasWaited).toBe(false);
  quiet.note();
  nowMs += 1;
  await waiting;
});

test("QuietMoments does not take for a pause what it did not look at", async () => {
  let nowMs = 1_000;
  const quiet = new QuietMoments(() => nowMs);
  quiet.note();
  // This process had something else to do for long; a program waits for its answer, and gets it now.
  nowMs += 50;
  setImmediate(() => quiet.note());
  let hasWaited = false;
  const waiting = quiet.wait(never).then(() => void (hasWaited = true));
  await delay(20);
  expect(hasWaited).toBe(false);
  nowMs += 2;
  await waiting;
});

test("QuietMoments waits for who only asks, if he does so without a pause", async () => {
  let nowMs = 1_000;
  const quiet = new QuietMoments(() => nowMs);
  quiet.noteAnswered(0.2);
  await quiet.wait(never);
  quiet.noteAnswered(4);
  let hasWaited = false;
  const waiting = quiet.wait(never).then(() => void (hasWaited = true));
  await delay(20);
  expect(hasWaited).toBe(false);
  nowMs += 2;
  await waiting;
});

test("QuietMoments ends a wait when programs pause, and when they never do", async () => {
  let nowMs = 0;
  const quiet = new QuietMoments(() => nowMs);
  quiet.note();
  let hasWaited = false;
  const waiting = quiet.wait(never).then(() => void (hasWaited = true));
  await delay(20);
  expect(hasWaited).toBe(false);
  nowMs = 100;
  await waiting;

  quiet.note();
  const bounded = quiet.wait(never);
  nowMs = 1_100;
  quiet.note();
  await bounded;
  // Who comes right after shares the turn; then programs have theirs again.
  nowMs = 1_190;
  quiet.note();
  await quiet.wait(never);
  nowMs = 1_250;
  quiet.note();
  let hasNext = false;
  const next = quiet.wait(never).then(() => void (hasNext = true));
  await delay(20);
  expect(hasNext).toBe(false);
  nowMs = 2_000;
  await next;
});

test("QuietMoments takes a short pause for one only where changes are few", async () => {
  let nowMs = 0;
  const quiet = new QuietMoments(() => nowMs);
  const change = (times: number, everyMs: number): void => {
    for (let time = 0; time < times; time += 1) {
      nowMs += everyMs;
      quiet.note();
    }
  };
  change(100, 10);
  nowMs += 5;
  await quiet.wait(never);
  change(100, 0.2);
  nowMs += 5;
  let hasWaited = false;
  const waiting = quiet.wait(never).then(() => void (hasWaited = true));
  await delay(20);
  expect(hasWaited).toBe(false);
  nowMs += 25;
  await waiting;
});

test("QuietMoments holds up nobody whose signal was aborted", async () => {
  const quiet = new QuietMoments(() => 0);
  quiet.note();
  await expect(quiet.wait(AbortSignal.abort())).resolves.toBeUndefined();
});
