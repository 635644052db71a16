import type { HttpBindings } from "@hono/node-server";
import { ProblemError } from "@izo/core";

import type { AppContext } from "../routes/app-environment.ts";
import { tooLarge } from "../routes/too-large.ts";
import type { Budget } from "./budget.ts";

/** All of a request's body, and the way to give back what it took of the budget. */
export interface HeldBody {
  readonly bytes: Uint8Array;
  release(): void;
}

/**
 * Reads a body into memory as it comes, and counts what has come and not what it says of itself: one who
 * announces much and sends it slowly keeps nobody else out.
 *
 * @throws ProblemError `too-large`, `overloaded`, `invalid-request` where the client has gone
 */
export async function readBody(
  c: AppContext,
  limit: { readonly what: string; readonly maxBytes: number },
  budget: Budget,
): Promise<HeldBody> {
  const { what, maxBytes } = limit;
  if (Number(c.req.header("Content-Length") ?? 0) > maxBytes) tooLarge(what, maxBytes);
  const chunks: Uint8Array[] = [];
  const held: (() => void)[] = [];
  const release = (): void => {
    for (const give of held.splice(0)) give();
  };
  let length = 0;
  try {
    for await (const chunk of piecesOf(c)) {
      length += chunk.length;
      if (length > maxBytes) tooLarge(what, maxBytes);
      held.push(budget.take(chunk.length));
      chunks.push(chunk);
    }
    return { bytes: new Uint8Array(Buffer.concat(chunks, length)), release };
  } catch (error) {
    release();
    // Nobody is left to be told, and it is no fault of the server that its log should name.
    if (c.req.raw.signal.aborted || (error as { code?: unknown }).code === "ECONNRESET") {
      throw new ProblemError("invalid-request", `Cannot take the ${what}: it was cut off`);
    }
    throw error;
  }
}

/** From the connection itself where there is one: the stream that a Request makes of it is a turn later, and more work. */
function piecesOf(c: AppContext): AsyncIterable<Uint8Array> {
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>;
  return incoming ?? ((c.req.raw.body ?? []) as AsyncIterable<Uint8Array>);
}
