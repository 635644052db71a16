import { HEADERS } from "@izo/core";
import { createMiddleware } from "hono/factory";

import type { AppEnvironment } from "./app-environment.ts";

const REQUEST_ID = /^[\w.-]{1,64}$/;

/** Names the request, and writes its one line in the log when it is answered. */
export const noteRequest = createMiddleware<AppEnvironment>(async (c, next) => {
  const startMs = performance.now();
  const given = c.req.header(HEADERS.requestId);
  const requestId = given !== undefined && REQUEST_ID.test(given) ? given : crypto.randomUUID();
  c.set("requestId", requestId);
  await next();
  c.header(HEADERS.requestId, requestId);
  const { method, path } = c.req;
  const { status } = c.res;
  const durationMs = Math.round((performance.now() - startMs) * 10) / 10;
  c.var.metrics.requestAnswered(status);
  const { holder } = c.var.caller;
  const who = holder === null ? {} : { holder };
  c.var.logger.info({ requestId, method, path, status, durationMs, ...who }, "request");
});
