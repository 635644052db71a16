import { printable } from "@izo/core";
import { html } from "hono/html";

import type { Export } from "../export/export.ts";
import type { Html } from "./html.ts";
import { treeLink } from "./page-links.ts";

/** The way from the root to a path, each directory a link; the last part is the heading of the page. */
export function pathTrail(fileset: Export, path: string): Html {
  const names = path.split("/").filter((name) => name !== "");
  const last = names.at(-1);
  const above = names.slice(0, -1).map((name, index) => {
    const to = `/${names.slice(0, index + 1).join("/")}/`;
    return html`<li><a href="${treeLink(fileset, to)}">${printable(name)}</a></li>`;
  });
  const root = html`<li><a href="${treeLink(fileset, "/")}">${fileset.filesetName}</a></li>`;
  return html`${
      last === undefined
        ? ""
        : html`<nav class="trail" aria-label="Directories above">
            <ol>
              ${root}${above}
            </ol>
          </nav>`
    }
    <h1>${last === undefined ? "Files" : printable(last)}</h1>`;
}
