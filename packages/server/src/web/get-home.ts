import { html } from "hono/html";

import type { Export } from "../export/export.ts";
import type { AppContext } from "../routes/app-environment.ts";
import { leadBlock, leadOf } from "./fileset-lead.ts";
import type { Html } from "./html.ts";
import { recentStatus } from "./page-figures.ts";
import { pagePath } from "./page-routes.ts";
import { answerPage } from "./page.ts";
import { formatBytes, formatCount } from "./show.ts";

/** What this server has, for somebody who opens its address in a browser. */
export function getHome(c: AppContext) {
  const { filesets } = c.var;
  return answerPage(c, {
    title: "Filesets",
    body: html`<h1>Filesets</h1>
      ${filesets.map(summary)}`,
  });
}

function summary(fileset: Export): Html {
  const { filesetName, filesetId } = fileset;
  const { files, bytes, headRecno } = recentStatus(fileset);
  return html`<article class="card">
    <h2><a href="${pagePath("overview", { fileset: filesetName })}">${filesetName}</a></h2>
    ${leadBlock(leadOf(fileset))}
    <p class="facts">
      ${formatCount(files)} files · ${formatBytes(bytes)} · ${formatCount(headRecno)} records ·
      <code>${filesetId}</code>
    </p>
  </article>`;
}
