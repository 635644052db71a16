/**
 * What all pages have in common: the frame around them, and what a browser is told to refuse. Pages are
 * whole without a script; the script only asks for the same page again when something has happened.
 */
import { MEDIA_TYPES, routePath, ROUTES } from "@izo/core";
import { html } from "hono/html";

import type { Export } from "../export/export.ts";
import type { AppContext } from "../routes/app-environment.ts";
import { assetLink } from "./assets.ts";
import type { Html } from "./html.ts";
import { pagePath } from "./page-routes.ts";
import { formatCount } from "./show.ts";

/**
 * Everything comes from this server, no script or style stands in a page, nobody frames it, and its forms
 * go nowhere else: a name that got past the escaping would still do nothing.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

const HEADERS = {
  "Content-Security-Policy": POLICY,
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cache-Control": "no-store",
} as const;

type Section = "overview" | "tree" | "changes" | "conflicts";

export interface Page {
  readonly title: string;
  /** What the page is of; none on the page with all of them. */
  readonly fileset?: Export;
  readonly section?: Section;
  /** Query of the feed of events with which the page is kept up to date; null for a page that is not. */
  readonly follows?: string | null;
  readonly body: Html;
}

/** Answers with a page. */
export function answerPage(c: AppContext, page: Page, status: 200 | 404 | 409 = 200) {
  for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
  const hasSession = c.var.caller?.holder != null;
  return c.html(frame(page, hasSession), status);
}

function frame({ title, fileset, section, follows = null, body }: Page, hasSession: boolean): Html {
  const name = fileset?.filesetName ?? "";
  const events =
    fileset === undefined || follows === null
      ? ""
      : `${routePath("events", { fileset: name })}?${follows}`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · izo</title>
        <link rel="icon" href="${assetLink("icon.svg")}" type="image/svg+xml" />
        <link rel="stylesheet" href="${assetLink("page.css")}" />
        <script src="${assetLink("page.js")}" defer></script>
      </head>
      <body data-events="${events}">
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <a class="mark" href="${ROUTES.home}">izo</a>
          ${fileset === undefined ? "" : navigation(fileset, section)}
        </header>
        <p class="live" role="status" hidden></p>
        <main id="main" tabindex="-1">${body}</main>
        <footer class="foot">
          <p>
            ${
              fileset === undefined
                ? ""
                : html`<span data-live="foot"
                      >Record ${formatCount(fileset.headPosition.recno)} of ${name}</span
                    >
                    · `
            }
            <a href="${ROUTES.openapi}" type="${MEDIA_TYPES.json}">API</a> ·
            <a href="${ROUTES.metrics}">Metrics</a>
          </p>
          ${
            hasSession
              ? html`<form method="post" action="${ROUTES.logout}"><button>Log out</button></form>`
              : ""
          }
        </footer>
      </body>
    </html>`;
}

function navigation(fileset: Export, section: Section | undefined): Html {
  const parameters = { fileset: fileset.filesetName };
  const conflicts = fileset.countConflicts();
  const link = (to: Section, href: string, text: string | Html): Html =>
    html`<li>
      <a href="${href}" ${to === section ? html`aria-current="page"` : ""}>${text}</a>
    </li>`;
  return html`<nav aria-label="${fileset.filesetName}">
    <p class="fileset">${fileset.filesetName}</p>
    <ul data-live="navigation">
      ${link("overview", pagePath("overview", parameters), "Overview")}
      ${link("tree", `${pagePath("tree", parameters)}/`, "Files")}
      ${link("changes", pagePath("changes", parameters), "Changes")}
      ${link(
        "conflicts",
        pagePath("conflicts", parameters),
        conflicts === 0
          ? "Conflicts"
          : html`Conflicts <span class="count">${formatCount(conflicts)}</span>`,
      )}
    </ul>
  </nav>`;
}
