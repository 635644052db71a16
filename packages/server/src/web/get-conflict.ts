import {
  authoritativeRecno,
  type ConflictReport,
  NO_CHECK,
  type Oid,
  printable,
  ProblemError,
  type TreeObject,
} from "@izo/core";
import { html } from "hono/html";

import type { ConflictSides, ResolutionKind } from "../export/conflicts/plan-resolution.ts";
import type { Export } from "../export/export.ts";
import type { AppContext } from "../routes/app-environment.ts";
import { type Html, property } from "./html.ts";
import { peerNames, standingConflicts } from "./page-figures.ts";
import { downloadLink, treeLink } from "./page-links.ts";
import { answerPage } from "./page.ts";
import { readText } from "./read-text.ts";
import { authorOf } from "./record-table.ts";
import { showAge, formatBytes, formatCount } from "./show.ts";
import { sideBySide } from "./side-by-side.ts";

/** Longer texts nobody compares in a page. */
const MAX_TEXT_BYTES = 256 * 1024;

/** Both sides of a conflict, and what can be decided. */
export async function getConflict(c: AppContext) {
  return answerConflict(c, c.req.param("copy") as Oid, null);
}

/** @param refusal why the last decision was not carried out */
export async function answerConflict(c: AppContext, copy: Oid, refusal: string | null) {
  const { fileset } = c.var;
  const sides = /^[0-9a-f]{32}$/.test(copy) ? fileset.conflictSides(copy) : undefined;
  const report = standingConflicts(fileset).find((conflict) => conflict.copy.oid === copy);
  if (sides === undefined || report === undefined) {
    throw new ProblemError("unknown-path", "There is no such conflict; it may be decided by now");
  }
  const path = sides.conflict.original?.path ?? sides.conflict.copy.path;
  return answerPage(
    c,
    {
      title: `Conflict about ${printable(path)}`,
      fileset,
      section: "conflicts",
      body: html`<h1>Conflict about <span class="path">${printable(path)}</span></h1>
        ${refusal === null ? "" : html`<div class="lead attention" role="alert"><p>${refusal}</p></div>`}
        ${facts(fileset, report)} ${await comparison(fileset, sides, report)} ${decision(sides)}`,
    },
    refusal === null ? 200 : 409,
  );
}

function facts(
  fileset: Export,
  { copy, host, time, base, record, ancestor }: ConflictReport,
): Html {
  const nameOf = peerNames(fileset);
  return html`<dl class="properties">
    ${property("Copy", html`<a class="path" href="${treeLink(fileset, copy.path)}">${printable(copy.path)}</a>`)}
    ${property(
      "Later change",
      record === null
        ? html`${host}, ${showAge(Date.parse(time))}`
        : html`${authorOf({ origin: { ...record.origin, check: NO_CHECK }, actor: { ...record, gid: 0, groups: [] } }, nameOf)},
          ${showAge(Date.parse(time))} (record ${formatCount(record.recno)})`,
    )}
    ${property(
      "Both started from",
      base === 0 || ancestor === null
        ? "nothing: both made it, or it is not known any more"
        : html`record ${formatCount(base)},
          ${formatBytes(ancestor.sizeBytes)}${
            ancestor.isKept
              ? html`,
                  <a href="${downloadLink(fileset, copy.path, ancestor.sha256)}" download
                    >download</a
                  >`
              : ", not kept any more"
          }`,
    )}
  </dl>`;
}

async function comparison(
  fileset: Export,
  { conflict, copy, original }: ConflictSides,
  { host }: ConflictReport,
): Promise<Html> {
  const side = (title: string, object: TreeObject | null, path: string | undefined): Html =>
    html`<div class="side">
      <h3>${title}</h3>
      <p>
        ${
          object === null || path === undefined
            ? "removed since"
            : object.kind === "file"
              ? html`${formatBytes(object.sizeBytes)},
                  <a href="${downloadLink(fileset, path)}" download>download</a>`
              : `a ${object.kind}${object.target === "" ? "" : ` to ${printable(object.target)}`}`
        }
      </p>
    </div>`;
  const [left, right] = await Promise.all([
    readText(fileset, original?.sha256 ?? null, MAX_TEXT_BYTES),
    readText(fileset, copy.sha256, MAX_TEXT_BYTES),
  ]);
  const titles = ["Ours: what has the name", `Theirs: the copy, from ${host}`] as const;
  return html`<section aria-labelledby="both">
    <h2 id="both">Both sides</h2>
    <div class="pair">
      ${side(titles[0], original, conflict.original?.path)}
      ${side(titles[1], copy, conflict.copy.path)}
    </div>
    ${
      left === null || right === null
        ? html`<p class="none">They are no texts, or long ones: download both to compare them.</p>`
        : sideBySide(left, right, titles)
    }
  </section>`;
}

function decision({ conflict, copy, original }: ConflictSides): Html {
  const areFiles = copy.kind === "file" && (original === null || original.kind === "file");
  return html`<section aria-labelledby="decide">
    <h2 id="decide">Decide</h2>
    <form method="post">
      <input type="hidden" name="copyVersion" value="${authoritativeRecno(copy.contentVersion)}" />
      <input
        type="hidden"
        name="originalVersion"
        value="${original === null ? "" : authoritativeRecno(original.contentVersion)}"
      />
      <ul class="choices">
        ${choice("ours", "Keep ours", original === null ? "It stays removed, and so is the copy." : "The file stays as it is, and the copy goes.")}
        ${areFiles ? choice("theirs", "Take theirs", original === null ? "The copy gets the name." : "The file gets the copy's content, and the copy goes.") : ""}
        ${choice("both", "Keep both", "The copy gets a name of its own.")}
      </ul>
    </form>
    <p class="facts">
      What is not chosen stays in the history for as long as old contents are kept. To merge by
      hand, on a mount:
      <code
        >izo conflicts resolve
        ${printable(conflict.original?.path ?? conflict.copy.path).replace(/^\//, "")} --merge
        COMMAND</code
      >
    </p>
  </section>`;
}

function choice(value: ResolutionKind, title: string, text: string): Html {
  return html`<li>
    <button name="how" value="${value}">${title}</button>
    <p>${text}</p>
  </li>`;
}
