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
  nowMs = 350;
  quiet.note();
  await bounded;
  // Who comes right after shares the turn; then programs have theirs again.
  nowMs = 390;
  quiet.note();
  await quiet.wait(never);
  nowMs = 450;
  quiet.note();
  let hasNext = false;
  const next = quiet.wait(never).then(() => void (hasNext = true));
  await delay(20);
  expect(hasNext).toBe(false);
  nowMs = 1_000;
  await next;
});

test("QuietMoments holds up nobody whose signal was aborted", async () => {
  const quiet = new QuietMoments(() => 0);
  quiet.note();
  await expect(quiet.wait(AbortSignal.abort())).resolves.toBeUndefined();
});
