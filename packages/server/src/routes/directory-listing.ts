import { routePath, type TreeObject, writeFilesPath } from "@izo/core";
import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";

import type { PathEntry } from "../export/export.ts";

/** What stands at a path that is no file; names that are no UTF-8 hold lone surrogates, as in records. */
export function listingJson({ path, object, children }: PathEntry): string {
  return JSON.stringify({
    path,
    ...describe(object),
    entries: children.map((child) => ({ name: child.entry.name, ...describe(child.object) })),
  });
}

/** The same as a page. */
export function listingHtml(
  fileset: string,
  { path, object, children }: PathEntry,
): HtmlEscapedString | Promise<HtmlEscapedString> {
  const root = routePath("files", { fileset });
  const parent = path === "/" ? null : path.slice(0, path.lastIndexOf("/") + 1);
  const rows = children.map(({ entry, object: child }) => {
    const isDirectory = child.kind === "directory";
    const childPath = `${path === "/" ? "" : path}/${entry.name}${isDirectory ? "/" : ""}`;
    return html`<tr>
      <td>
        <a href="${root}${writeFilesPath(childPath)}">${entry.name.toWellFormed()}</a
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
      ${object.kind === "symlink" ? html`<p>symlink to ${object.target.toWellFormed()}</p>` : ""}
      ${parent === null ? "" : html`<p><a href="${root}${writeFilesPath(parent)}">parent</a></p>`}
      <table>
        ${rows}
      </table>
    </html>`;
}

function describe(object: TreeObject): Record<string, unknown> {
  const { oid, kind, mode, uid, gid, sizeBytes, mtimeNs, sha256, target, contentVersion } = object;
  return {
    oid,
    kind,
    mode,
    uid,
    gid,
    mtimeNs: mtimeNs.toString(),
    ...(kind === "file" && { sizeBytes, sha256, contentVersion }),
    ...(kind === "symlink" && { target }),
  };
}

function timeOf({ mtimeNs }: TreeObject): string {
  const date = new Date(Number(mtimeNs / 1_000_000n));
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}
