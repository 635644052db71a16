import { describe, expect, test } from "vitest";

import { IzoError } from "../errors.ts";
import { InvalidNameError } from "../kml/name.ts";
import { parseProblem, ProblemError, problemOf, PROBLEMS, writeProblem } from "./problem.ts";

describe("problemOf()", () => {
  test("keeps code, text and data of an error that the protocol knows", () => {
    const problem = problemOf(new IzoError("log-truncated", "Cannot go on", { oldest: 4 }));
    expect(problem).toMatchObject({
      code: "log-truncated",
      status: 410,
      detail: "Cannot go on",
      data: { oldest: 4 },
    });
  });

  test("says nothing of an error that it does not know", () => {
    const problem = problemOf(new Error("ENOENT: /secret/place"));
    expect(problem).toMatchObject({ code: "internal", status: 500, data: {} });
    expect(problem.detail).not.toContain("secret");
  });

  test.each([
    {
      description: "a name that cannot exist",
      error: new InvalidNameError("..", "no"),
      code: "invalid-name",
    },
    {
      description: "a full disk",
      error: Object.assign(new Error("full"), { code: "ENOSPC" }),
      code: "no-space",
    },
    { description: "something that is no error", error: "thrown", code: "internal" },
  ])("knows $description", ({ error, code }) => {
    expect(problemOf(error).code).toBe(code);
  });
});

describe("parseProblem()", () => {
  test.each(Object.keys(PROBLEMS) as (keyof typeof PROBLEMS)[])(
    "reads %s as it was written",
    (code) => {
      const problem = problemOf(new ProblemError(code, "Cannot do it", { recno: 4 }));
      expect(problem.code).toBe(code);
      const read = parseProblem(writeProblem(problem));
      expect(read).toEqual(problem);
    },
  );

  test.each(["", "<html>Bad Gateway</html>", "null", "[]", '{"code":"eaten"}', '{"title":"x"}'])(
    "takes %j for no problem of ours",
    (body) => {
      expect(parseProblem(body)).toBeUndefined();
    },
  );
});
