/**
 * How a browser gets in: a form that takes a token once and gives a session for it, in a cookie that no
 * script can read and no other site can send.
 */
import { ROUTES } from "@izo/core";
import { accepts } from "hono/accepts";
import { bodyLimit } from "hono/body-limit";
import { deleteCookie, setCookie } from "hono/cookie";
import { createFactory } from "hono/factory";
import { html } from "hono/html";

import type { AppContext, AppEnvironment } from "../routes/app-environment.ts";
import { tooLarge } from "../routes/too-large.ts";
import { BEARER } from "./bearer.ts";

export const SESSION_COOKIE = "izo_session";

/** A form with a token and a path. */
const MAX_FORM_BYTES = 8_192;

const POLICY = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/** Tells whether somebody looks at a page, rather than a program at an answer. */
export function wantsPage(c: AppContext): boolean {
  if (c.req.method !== "GET" || c.req.header("Authorization") !== undefined) return false;
  const type = accepts(c, {
    header: "Accept",
    supports: ["application/problem+json", "text/html"],
    default: "application/problem+json",
  });
  return type === "text/html";
}

/** The form in place of the page that was asked for, whether there is one or not. */
export function answerWithLogin(c: AppContext): Promise<Response> {
  c.header("WWW-Authenticate", BEARER);
  const { pathname, search } = new URL(c.req.url);
  return answerForm(c, { next: pathname + search, status: 401, problem: null });
}

export function getLogin(c: AppContext): Promise<Response> {
  return answerForm(c, { next: ROUTES.home, status: 200, problem: null });
}

/** Begins a session for a valid token, and goes on to where the browser wanted. */
export const postLogin = createFactory<AppEnvironment>().createHandlers(
  bodyLimit({ maxSize: MAX_FORM_BYTES, onError: () => tooLarge("form", MAX_FORM_BYTES) }),
  async (c) => {
    const form = new URLSearchParams(await c.req.text());
    const next = ownPath(form.get("next"));
    const { access } = c.var;
    if (access === undefined || !access.tokens.isRequired) return c.redirect(next, 303);
    const found = access.tokens.find((form.get("token") ?? "").trim());
    if (found.kind !== "valid") {
      const problem =
        found.kind === "expired" ? "This token is over." : "The server has no such token.";
      return answerForm(c, { next, status: 401, problem });
    }
    const { value, expiresMs } = access.sessions.begin(found.token, Date.now());
    setCookie(c, SESSION_COOKIE, value, {
      ...cookieScope(c),
      expires: new Date(expiresMs),
    });
    return c.redirect(next, 303);
  },
);

/** Ends the browser's session. */
export function postLogout(c: AppContext): Response {
  deleteCookie(c, SESSION_COOKIE, cookieScope(c));
  return c.redirect(ROUTES.login, 303);
}

function cookieScope(c: AppContext) {
  const isEncrypted =
    c.req.url.startsWith("https:") || c.req.header("X-Forwarded-Proto") === "https";
  return { path: "/", httpOnly: true, sameSite: "Strict", secure: isEncrypted } as const;
}

/** A path of this server, never another site's: `//host/` names one, and `\` is `/` to a browser. */
function ownPath(text: string | null): string {
  return text !== null && /^\/(?![/\\])[\x21-\x7e]*$/.test(text) ? text : ROUTES.home;
}

async function answerForm(
  c: AppContext,
  form: { readonly next: string; readonly status: 200 | 401; readonly problem: string | null },
): Promise<Response> {
  c.header("Content-Security-Policy", POLICY);
  c.header("Cache-Control", "no-store");
  const page = html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <meta name="color-scheme" content="light dark" />
      <title>izo: log in</title>
      <main>
        <h1>izo</h1>
        ${form.problem === null ? "" : html`<p role="alert">${form.problem}</p>`}
        <form method="post" action="${ROUTES.login}">
          <input type="hidden" name="next" value="${form.next}" />
          <label
            >Token
            <input
              type="password"
              name="token"
              required
              autofocus
              autocomplete="current-password"
              spellcheck="false"
          /></label>
          <button>Log in</button>
        </form>
        <p>Tokens are made on the server's machine: <code>izo token create DIR</code></p>
      </main>
    </html>`;
  return c.html(page, form.status);
}
