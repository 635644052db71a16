/**
 * What may be asked where nobody needs a token: a server on 127.0.0.1 is open to the programs of its machine.
 * A browser is one of them, and runs what other sites send it. Such a page can post a form to any port of the
 * machine, without being able to read the answer; and where its own name is made to mean 127.0.0.1 after it was
 * loaded (DNS rebinding), it can read answers too. Both show in headers that no page has a say in.
 */
import { isIP } from "node:net";

import { ProblemError } from "@izo/core";

import type { AppContext } from "../routes/app-environment.ts";

/**
 * Refuses what a page of another site asks for.
 *
 * @param isForThisMachine whether nobody but this machine is to reach the server
 * @throws ProblemError `token-required`, `out-of-scope`
 */
export function checkWithoutToken(c: AppContext, isForThisMachine: boolean): void {
  const host = c.req.header("Host");
  if (isForThisMachine && host !== undefined && !meansThisMachine(host)) {
    throw new ProblemError(
      "token-required",
      `Cannot answer: who asks for ${JSON.stringify(host)} needs a token, as this server is for its own machine only (izo token create, or izo serve --insecure)`,
      { host },
    );
  }
  if (isChange(c) && c.req.header("Origin") !== undefined) checkSameOrigin(c);
}

/**
 * Refuses a change that a page of another site asks for: cookies, and what needs no token, come with whatever
 * a browser sends.
 *
 * @throws ProblemError `out-of-scope`
 */
export function checkSameOrigin(c: AppContext): void {
  if (isSameOrigin(c)) return;
  throw new ProblemError("out-of-scope", "Cannot take the change: another site asks for it");
}

export function isChange(c: AppContext): boolean {
  return c.req.method !== "GET" && c.req.method !== "HEAD";
}

/** Tells whether a page of this very server sends the request, as far as a browser says. */
export function isSameOrigin(c: AppContext): boolean {
  const origin = c.req.header("Origin") ?? "";
  return URL.canParse(origin) && new URL(origin).host === c.req.header("Host");
}

/** Nobody else can make these mean this machine: addresses are asked of nobody, and `localhost` is reserved (RFC 6761). */
function meansThisMachine(host: string): boolean {
  const name = host.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");
  return isIP(name) !== 0 || /^(?:.+\.)?localhost\.?$/i.test(name);
}
