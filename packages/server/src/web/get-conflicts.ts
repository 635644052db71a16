import { type ConflictReport, printable } from "@izo/core";
import { html } from "hono/html";

import type { Export } from "../export/export.ts";
import type { AppContext } from "../routes/app-environment.ts";
import type { Html } from "./html.ts";
import { standingConflicts } from "./page-figures.ts";
import { treeLink } from "./page-links.ts";
import { pagePath } from "./page-routes.ts";
import { answerPage } from "./page.ts";
import { showAge } from "./show.ts";

/** The conflicts that wait for somebody. */
export function getConflicts(c: AppContext) {
  const { fileset } = c.var;
  const conflicts = standingConflicts(fileset);
  return answerPage(c, {
    title: `Conflicts of ${fileset.filesetName}`,
    fileset,
    section: "conflicts",
    follows: "",
    body: html`<h1>Conflicts</h1>
      <p class="intro">
        Two people changed the same thing, each without having seen the other's change. What came
        first keeps the name (<em>ours</em>), what came later stands beside it as a copy
        (<em>theirs</em>). Nothing is lost, and nothing else waits.
      </p>
      <div data-live="conflicts">
        ${conflicts.length === 0 ? html`<p class="none">None.</p>` : table(fileset, conflicts)}
      </div>`,
  });
}

function table(fileset: Export, conflicts: readonly ConflictReport[]): Html {
  return html`<div class="scroll" role="region" aria-label="Conflicts" tabindex="0">
    <table>
      <caption class="quiet">
        Conflicts
      </caption>
      <thead>
        <tr>
          <th scope="col">File</th>
          <th scope="col">Later change from</th>
          <th scope="col">Made</th>
          <th scope="col">Copy</th>
        </tr>
      </thead>
      <tbody>
        ${conflicts.map((conflict) => row(fileset, conflict))}
      </tbody>
    </table>
  </div>`;
}

function row(fileset: Export, { copy, original, host, time }: ConflictReport): Html {
  const href = pagePath("conflict", { fileset: fileset.filesetName, copy: copy.oid });
  return html`<tr>
    <th scope="row" class="path">
      <a href="${href}">${printable(original?.path ?? copy.path)}</a>${
        original === null ? html` <span class="detail">removed since</span>` : ""
      }
    </th>
    <td>${host}</td>
    <td class="when">${showAge(Date.parse(time))}</td>
    <td class="path"><a href="${treeLink(fileset, copy.path)}">${printable(copy.path)}</a></td>
  </tr>`;
}
