import { checkProtocolVersion, HEADERS, PROTOCOL_VERSION } from "@izo/core";
import { createMiddleware } from "hono/factory";

import type { AppEnvironment } from "./app-environment.ts";

/** States the protocol's version in every answer, errors too, and refuses clients of another one. */
export const speakProtocol = createMiddleware<AppEnvironment>(async (c, next) => {
  c.header(HEADERS.protocol, String(PROTOCOL_VERSION));
  checkProtocolVersion("client", c.req.header(HEADERS.protocol) ?? null);
  await next();
});
