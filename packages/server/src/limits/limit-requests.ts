import type { HttpBindings } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { createMiddleware } from "hono/factory";

import type { AppContext, AppEnvironment } from "../routes/app-environment.ts";
import { overloaded } from "./budget.ts";

/**
 * Refuses requests of those who have too many that are being answered. A request counts until the last
 * byte of its answer has gone, so readers that are slow count, too.
 */
export function limitRequests(maxRequests: number) {
  const counts = new Map<string, number>();
  return createMiddleware<AppEnvironment>(async (c, next) => {
    const key = keyOf(c);
    const count = counts.get(key) ?? 0;
    if (count >= maxRequests) {
      throw overloaded(`${maxRequests} requests of this client are being answered`);
    }
    counts.set(key, count + 1);
    const leave = (): void => {
      const left = (counts.get(key) ?? 1) - 1;
      if (left > 0) counts.set(key, left);
      else counts.delete(key);
    };
    const outgoing = outgoingOf(c);
    outgoing?.once("close", leave);
    try {
      await next();
    } finally {
      if (outgoing === undefined) leave();
    }
  });
}

/** Counts bytes of an answer until the last of them has gone out, or its connection has ended. */
export function holdUntilAnswered(c: AppContext, bytes: number): void {
  const outgoing = outgoingOf(c);
  if (outgoing !== undefined) outgoing.once("close", c.var.budget.hold(bytes));
}

/** Undefined in tests, which call the app without a server. */
function outgoingOf(c: AppContext): HttpBindings["outgoing"] | undefined {
  return (c.env as Partial<HttpBindings> | undefined)?.outgoing;
}

function keyOf(c: AppContext): string {
  const { holder } = c.var.caller;
  if (holder !== null) return `holder ${holder}`;
  if (outgoingOf(c) === undefined) return "";
  return `address ${getConnInfo(c).remote.address ?? ""}`;
}
