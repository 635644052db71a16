import { MEDIA_TYPES, problemOf, ProblemError, writeProblem } from "@izo/core";

import { BEARER } from "../auth/bearer.ts";
import type { AppContext } from "./app-environment.ts";

/** The one place that answers with an error. What the protocol has no word for is logged here, once. */
export function answerError(error: unknown, c: AppContext): Response {
  const problem = problemOf(error);
  if (problem.code === "internal") {
    c.var.logger.error({ err: error, requestId: c.var.requestId }, "request failed");
  }
  // A problem passes: a cache that kept it would hide that.
  return c.body(writeProblem(problem), problem.status, {
    "Content-Type": MEDIA_TYPES.problem,
    "Cache-Control": "no-store",
    ...(problem.code === "overloaded" && { "Retry-After": "1" }),
    ...(problem.status === 401 && { "WWW-Authenticate": BEARER }),
  });
}

export function answerUnknownRoute(c: AppContext): Response {
  const { method, path } = c.req;
  return answerError(
    new ProblemError("unknown-route", `Cannot ${method} ${path}: there is nothing here`),
    c,
  );
}
