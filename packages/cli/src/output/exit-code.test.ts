import { IzoError, KmlDamageError } from "@izo/core";
import { describe, expect, test } from "vitest";

import { EXIT, exitCodeOf } from "./exit-code.ts";

describe("exitCodeOf()", () => {
  test.each([
    { description: "an error without a code", error: new Error("no"), expected: EXIT.failed },
    { description: "something that is no error", error: "no", expected: EXIT.failed },
    { description: "an unknown code", error: new IzoError("new-one", "no"), expected: EXIT.failed },
    { description: "a usage error", error: new IzoError("usage", "no"), expected: EXIT.usage },
    {
      description: "a refused connection",
      error: Object.assign(new Error("no"), { code: "ECONNREFUSED" }),
      expected: EXIT.unreachable,
    },
    {
      description: "a damaged log",
      error: new KmlDamageError({ segment: "a", offset: 1 }, "it is torn"),
      expected: EXIT.damaged,
    },
  ])("$description gives $expected", ({ error, expected }) => {
    expect(exitCodeOf(error)).toBe(expected);
  });

  test("no two meanings share a number", () => {
    const numbers = Object.values(EXIT);
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});
