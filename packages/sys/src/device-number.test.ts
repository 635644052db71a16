import { assert, integer, property } from "fast-check";
import { expect, test } from "vitest";

import { majorOf, makeDevice, minorOf } from "./device-number.ts";
import { AT_FDCWD } from "./path.ts";
import { fstatat } from "./stat.ts";

test("majorOf() and minorOf() take apart what makeDevice() put together", () => {
  assert(
    property(integer({ min: 0, max: 0xfff }), integer({ min: 0, max: 0xfffff }), (major, minor) => {
      const device = makeDevice(major, minor);
      expect([majorOf(device), minorOf(device)]).toEqual([major, minor]);
    }),
  );
});

test("/dev/null is 1:3", () => {
  expect(fstatat(AT_FDCWD, "/dev/null").rdev).toBe(makeDevice(1, 3));
});

test.each([
  [-1, 0],
  [0x1000, 0],
  [0, 0x100000],
  [0.5, 0],
])("makeDevice() refuses %d:%d", (major, minor) => {
  expect(() => makeDevice(major, minor)).toThrow(RangeError);
});
