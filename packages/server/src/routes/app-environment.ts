import type { Context } from "hono";
import type { Logger } from "pino";

import type { AccessControl, Caller } from "../auth/access-control.ts";
import type { Export } from "../export/export.ts";
import type { Budget } from "../limits/budget.ts";
import type { Metrics } from "./metrics.ts";

/** What the middleware of the app puts at the hand of every handler. */
export interface AppEnvironment {
  Variables: {
    requestId: string;
    /** Set where the path names a fileset. */
    fileset: Export;
    filesets: readonly Export[];
    metrics: Metrics;
    logger: Logger;
    /** Undefined where nobody is asked for a token. */
    access: AccessControl | undefined;
    isReadOnly: boolean;
    /** Who needs no token is on this machine, and says so. */
    isForThisMachine: boolean;
    /** What may be held in memory for all requests together. */
    budget: Budget;
    /** Who asks; known behind the door (`auth/authorize.ts`). */
    caller: Caller;
    /** One of them aborts when the caller's token has ended, or the server is about to stop. */
    ends: readonly AbortSignal[];
  };
}

export type AppContext = Context<AppEnvironment>;

/** One of them aborts when nobody is to be answered any more: the client has gone, too. */
export function endsOf(c: AppContext): readonly AbortSignal[] {
  return [c.req.raw.signal, ...c.var.ends];
}
