import { expect, test } from "vitest";

import { throttleMs } from "./throttle.ts";

test("throttleMs leaves programs alone while a large tree is unpacked, and then holds them up more and more", () => {
  expect([0, 20_000, 50_000].map(throttleMs)).toEqual([0, 0, 0]);
  expect(throttleMs(100_000)).toBe(18);
  expect([150_000, 1_000_000].map(throttleMs)).toEqual([36, 36]);
});
