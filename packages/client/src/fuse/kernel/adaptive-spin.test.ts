import { expect, test } from "vitest";

import { AdaptiveSpin } from "./adaptive-spin.ts";

const US = 0.001;

/** Turns of so many requests, each so many microseconds after the one before has ended: how long each waits. */
function serve(
  spin: AdaptiveSpin,
  fromMs: number,
  turns: readonly { after: number; requests: number }[],
): number[] {
  let nowMs = fromMs;
  return turns.map(({ after, requests }) => {
    nowMs += after * US;
    const microseconds = spin.turnBegins(nowMs);
    nowMs += (10 * requests + microseconds) * US;
    spin.turnEnded(requests, nowMs);
    return microseconds;
  });
}

const times = (count: number, after: number, requests: number) =>
  Array.from({ length: count }, () => ({ after, requests }));

test("AdaptiveSpin goes on while programs do something else before they ask again", () => {
  expect(serve(new AdaptiveSpin(50), 0, times(100, 60, 1))).not.toContain(0);
});

test("AdaptiveSpin goes on while programs ask several times in a turn", () => {
  expect(serve(new AdaptiveSpin(50), 0, times(100, 15, 3))).not.toContain(0);
});

test("AdaptiveSpin lets be what held a program up four times", () => {
  const waits = serve(new AdaptiveSpin(50), 0, times(8, 15, 2));
  expect(waits).toEqual([50, 50, 50, 50, 0, 0, 0, 0]);
});

test("AdaptiveSpin tries once after 10 ms, and once more each time that it holds somebody up", () => {
  const spin = new AdaptiveSpin(50);
  serve(spin, 0, times(8, 15, 1));
  expect(serve(spin, 11, times(4, 15, 1))).toEqual([50, 0, 0, 0]);
  expect(serve(spin, 22, times(4, 15, 1))).toEqual([50, 0, 0, 0]);
});

test("AdaptiveSpin goes on where a later try holds nobody up", () => {
  const spin = new AdaptiveSpin(50);
  serve(spin, 0, times(8, 15, 1));
  expect(serve(spin, 11, [...times(3, 60, 1), ...times(3, 15, 1)])).not.toContain(0);
});
