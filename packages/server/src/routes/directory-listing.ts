import { type Recno, routePath, type TreeObject, writeFilesPath } from "@izo/core";
import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";

import type { PathEntry } from "../export/tree/path-entry.ts";

/**
 * What stands at a path that is no file, as a page.
 *
 * @param at the record behind which it stood there, which the links of the page go on with; null for now
 */
export function listingHtml(
  fileset: string,
  { path, object, children }: PathEntry,
  at: Recno | null,
): HtmlEscapedString | Promise<HtmlEscapedString> {
  const root = routePath("files", { fileset });
  const query = at === null ? "" : `?at=${at}`;
  const parent = path === "/" ? null : path.slice(0, path.lastIndexOf("/") + 1);
  const rows = children.map(({ entry, object: child }) => {
    const isDirectory = child.kind === "directory";
    const childPath = `${path === "/" ? "" : path}/${entry.name}${isDirectory ? "/" : ""}`;
    return html`<tr>
      <td>
        <a href="${root}${writeFilesPath(childPath)}${query}">${entry.name.toWellFormed()}</a
        >${isDirectory ? "/" : ""}
      </td>
      <td>${child.kind === "file" ? child.sizeBytes : child.kind}</td>
      <td>${timeOf(child)}</td>
    </tr>`;
  });
  return html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <title>${path.toWellFormed()}</title>
      <h1>${fileset}:${path.toWellFormed()}</h1>
      ${at === null ? "" : html`<p>as it was behind record ${at}</p>`}
      ${object.kind === "symlink" ? html`<p>symlink to ${object.target.toWellFormed()}</p>` : ""}
      ${parent === null ? "" : html`<p><a href="${root}${writeFilesPath(parent)}${query}">parent</a></p>`}
      <table>
        ${rows}
      </table>
    </html>`;
}

function timeOf({ mtimeNs }: TreeObject): string {
  const date = new Date(Number(mtimeNs / 1_000_000n));
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}
