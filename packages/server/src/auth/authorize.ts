/**
 * The door of the server: every request passes it before any route learns of it. Without a token that is
 * valid the answer is the same for what exists and what does not; with one that does not allow what is
 * asked, too.
 */
import { parseBearer, ProblemError } from "@izo/core";
import { getCookie } from "hono/cookie";
import { createMiddleware } from "hono/factory";
import { matchedRoutes } from "hono/route";

import type { AppContext, AppEnvironment } from "../routes/app-environment.ts";
import { pathInUrl } from "../routes/path-in-url.ts";
import { answerError } from "../routes/problem-response.ts";
import { ANYBODY, type AccessControl, type Caller } from "./access-control.ts";
import { checkSameOrigin, checkWithoutToken, isChange } from "./ask-without-token.ts";
import { answerWithLogin, SESSION_COOKIE, wantsPage } from "./login.ts";
import { requiredAccess, type RequiredAccess } from "./required-access.ts";
import type { StoredToken } from "./stored-token.ts";

/** Lets a request pass whose token allows it, and notes who sent it. */
export const authorize = createMiddleware<AppEnvironment>(async (c, next) => {
  const { access, isReadOnly, isForThisMachine } = c.var;
  const required = requiredAccess(c.req.method, patternsOf(c));
  c.set("caller", ANYBODY);
  if (required.access !== "none") {
    let token: StoredToken | null = null;
    try {
      if (access?.tokens.isRequired === true) token = identify(c, access);
      else checkWithoutToken(c, isForThisMachine);
    } catch (error) {
      if (wantsPage(c)) return answerWithLogin(c);
      throw error;
    }
    if (access !== undefined && token !== null) {
      checkScope(c, token, required);
      enter(c, access, token);
    }
  }
  if (isReadOnly && required.access === "write") {
    throw new ProblemError("read-only", "Cannot take the change: this server exports read-only");
  }
  await next();
  return leave(c);
});

/** Patterns of the routes that will answer; middleware is no answer. */
function patternsOf(c: AppContext): string[] {
  return matchedRoutes(c)
    .filter(({ method }) => method !== "ALL")
    .map(({ path }) => path);
}

/** @throws ProblemError `token-required`, `token-invalid`, `token-expired` */
function identify(c: AppContext, { tokens, sessions }: AccessControl): StoredToken {
  const header = c.req.header("Authorization");
  if (header === undefined) return identifyBrowser(c, { tokens, sessions });
  const found = tokens.find(parseBearer(header) ?? "");
  if (found.kind === "valid") return found.token;
  if (found.kind === "expired") {
    const over = new Date(found.token.expiresMs ?? 0).toISOString();
    throw new ProblemError("token-expired", `Cannot answer: the token is over since ${over}`);
  }
  throw new ProblemError("token-invalid", "Cannot answer: the server has no such token");
}

function identifyBrowser(
  c: AppContext,
  { tokens, sessions }: Pick<AccessControl, "tokens" | "sessions">,
): StoredToken {
  const session = getCookie(c, SESSION_COOKIE);
  const id = session === undefined ? null : sessions.tokenIdOf(session, Date.now());
  const token = id === null ? null : tokens.get(id);
  if (token === null) {
    throw new ProblemError(
      "token-required",
      "Cannot answer: the server requires a token, in the header Authorization: Bearer",
    );
  }
  if (isChange(c)) checkSameOrigin(c);
  return token;
}

/** @throws ProblemError `out-of-scope` */
function checkScope(c: AppContext, token: StoredToken, required: RequiredAccess): void {
  const { access, path } = token;
  if (required.access === "none") return;
  if (!allows(access, required.access)) {
    throw refusal(token, `it is for ${access === "log" ? "the log" : "reading"} only`);
  }
  const isConfined = path !== "/" && (access === "read" || required.access === "write");
  if (!isConfined) return;
  if (!required.isByPath) throw refusal(token, `it is for what is below ${quote(path)}`);
  // What a push may change is judged with the records.
  if (required.isOfFile && !isAtOrBelow(pathInUrl(c), path)) {
    throw refusal(token, `it is for what is below ${quote(path)}`);
  }
}

function allows(access: StoredToken["access"], required: StoredToken["access"]): boolean {
  if (access === "write") return true;
  return required === "log" || (required === "read" && access === "read");
}

function isAtOrBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

function refusal({ id }: StoredToken, reason: string): ProblemError {
  return new ProblemError("out-of-scope", `Cannot answer: the token does not allow it, ${reason}`, {
    token: id,
  });
}

const quote = JSON.stringify;

function enter(c: AppContext, { filesetName, tokens }: AccessControl, token: StoredToken): void {
  const end = tokens.endOf(token);
  const caller: Caller = {
    holder: token.name,
    readsContents: token.access !== "log",
    writesBelow: token.access === "write" ? token.path : null,
    end,
  };
  c.set("caller", caller);
  c.set("ends", [...c.var.ends, end]);
  // Another fileset is not there for who has no token of it.
  c.set(
    "filesets",
    c.var.filesets.filter((fileset) => fileset.filesetName === filesetName),
  );
}

/** What waited for long is answered only to who may still know; what is answered stays in no shared cache. */
async function leave(c: AppContext): Promise<Response | undefined> {
  const { end } = c.var.caller;
  if (end === null) return undefined;
  if (end.aborted) {
    await c.res.body?.cancel();
    const text = "Cannot answer: the token was revoked, or is over, since the request came";
    c.res = undefined;
    c.res = answerError(new ProblemError("token-invalid", text), c);
    return undefined;
  }
  const cached = c.res.headers.get("Cache-Control");
  if (cached?.includes("public") === true) {
    c.res.headers.set("Cache-Control", cached.replace("public", "private"));
  }
  return undefined;
}
