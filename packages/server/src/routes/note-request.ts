import { HEADERS } from "@izo/core";
import { createMiddleware } from "hono/factory";
import { matchedRoutes } from "hono/route";

import type { AppEnvironment } from "./app-environment.ts";

const REQUEST_ID = /^[\w.-]{1,64}$/;

/** Names the request, and writes its one line in the log when it is answered. */
export const noteRequest = createMiddleware<AppEnvironment>(async (c, next) => {
  const startMs = performance.now();
  // A proxy in front has named it already, by the name that proxies use.
  const given = c.req.header(HEADERS.requestId) ?? c.req.header("X-Request-Id");
  const requestId = given !== undefined && REQUEST_ID.test(given) ? given : crypto.randomUUID();
  c.set("requestId", requestId);
  // Before there is an answer: one that is changed afterwards is made anew, as a stream, and goes out 1 ms later.
  c.header(HEADERS.requestId, requestId);
  await next();
  const { method, path } = c.req;
  const { status } = c.res;
  const tookMs = performance.now() - startMs;
  const durationMs = Math.round(tookMs * 10) / 10;
  const route = matchedRoutes(c).findLast((one) => one.method !== "ALL")?.path ?? "";
  c.var.metrics.requestAnswered(method, route, status, tookMs / 1000);
  const { holder } = c.var.caller;
  const who = holder === null ? {} : { holder };
  c.var.logger.info({ requestId, method, path, status, durationMs, ...who }, "request");
});
