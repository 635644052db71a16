import { IzoError } from "@izo/core";
import { expect, test } from "vitest";

import { reportError } from "./report-error.ts";

function report(error: unknown, isJson: boolean): string {
  let text = "";
  reportError(error, isJson, { write: (part) => (text += part) });
  return text;
}

const unknownFileset = new IzoError(
  "unknown-fileset",
  'Cannot mount "a": there is no such fileset',
);

test("reportError() prints the message and a hint", () => {
  expect(report(unknownFileset, false)).toMatch(
    /^error: Cannot mount "a": there is no such fileset\n {2}hint: .+\n$/,
  );
});

test("reportError() prints one object with --json", () => {
  expect(JSON.parse(report(unknownFileset, true))).toEqual({
    error: {
      code: "unknown-fileset",
      message: unknownFileset.message,
      hint: expect.stringContaining("/v1/filesets"),
    },
  });
});

test("reportError() shows the stack only of an error without a code", () => {
  expect(report(new Error("x is undefined"), false)).toContain("report-error.test.ts");
  expect(report(unknownFileset, false)).not.toContain("report-error.test.ts");
});
