import fc from "fast-check";
import { expect, test } from "vitest";

import { MAX_RETRY_DELAY_MS, retryDelayMs } from "./backoff.ts";

test("retryDelayMs() doubles with each failure and stays within its bound", () => {
  expect([1, 2, 3, 4].map((failures) => retryDelayMs(failures, 1))).toEqual([200, 400, 800, 1600]);
  expect(retryDelayMs(1_000_000, 1)).toBe(MAX_RETRY_DELAY_MS);
});

test("retryDelayMs() keeps at least half of the wait, whatever chance says", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.float({ min: 0, max: 1, noNaN: true }),
      (failures, random) => {
        const most = retryDelayMs(failures, 1);
        expect(retryDelayMs(failures, random)).toBeGreaterThanOrEqual(most / 2);
        expect(retryDelayMs(failures, random)).toBeLessThanOrEqual(most);
      },
    ),
  );
});
