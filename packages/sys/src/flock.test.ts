import { closeSync, openSync } from "node:fs";

import { expect, test } from "vitest";

import { flock } from "./flock.ts";
import { errorOf } from "./testing/error-of.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";

test("flock() is false while another description holds a lock that excludes it", () => {
  using directory = temporaryDirectory();
  const one = openSync(directory.join("file"), "w");
  const other = openSync(directory.join("file"), "r");
  const tried = { nonBlocking: true };
  try {
    expect(flock(one, "shared", tried)).toBe(true);
    expect(flock(other, "shared", tried)).toBe(true);
    expect(flock(one, "exclusive", tried)).toBe(false);
    expect(flock(other, "unlock")).toBe(true);
    expect(flock(one, "exclusive")).toBe(true);
    expect(flock(other, "shared", tried)).toBe(false);
    closeSync(one);
    expect(flock(other, "exclusive", tried)).toBe(true);
  } finally {
    closeSync(other);
  }
});

test("flock() throws for a descriptor that is not open", () => {
  expect(errorOf(() => flock(-1, "shared")).code).toBe("EBADF");
});
