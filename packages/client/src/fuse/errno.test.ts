import { readFileSync, rmSync } from "node:fs";
import { constants } from "node:os";

import { IzoError, parseName } from "@izo/core";
import { renameat2 } from "@izo/sys";
import { describe, expect, test } from "vitest";

import { ErrnoError, isErrno, toErrno } from "./errno.ts";

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("Cannot go on: nothing was thrown");
}

describe("toErrno()", () => {
  test.for([
    { description: "Node's", run: () => readFileSync("/nowhere"), errno: constants.errno.ENOENT },
    {
      description: "the addon's",
      run: () => renameat2(-1, "a", -1, "b"),
      errno: constants.errno.EBADF,
    },
    { description: "core's, of a name", run: () => parseName(".."), errno: constants.errno.EINVAL },
  ])("maps $description errors", ({ run, errno }) => {
    expect(toErrno(thrownBy(run))).toBe(-errno);
  });

  test("maps an ErrnoError by name, and what it does not know to EIO", () => {
    expect(toErrno(new ErrnoError("EHOSTUNREACH", "Cannot fetch"))).toBe(
      -constants.errno.EHOSTUNREACH,
    );
    expect(toErrno(new IzoError("something", "Cannot"))).toBe(-constants.errno.EIO);
    expect([isErrno(new TypeError("a fault")), isErrno("text")]).toEqual([false, false]);
  });

  test("maps what Node has no errno for to one that the kernel takes", () => {
    // -4094, "unknown", and no code at all.
    const error = thrownBy(() => rmSync(`/${"n".repeat(256)}`, { recursive: true, force: true }));
    expect(toErrno(error)).toBe(-constants.errno.EIO);
  });
});
