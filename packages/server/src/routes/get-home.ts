import { routePath, ROUTES } from "@izo/core";
import { html } from "hono/html";

import type { AppContext } from "./app-environment.ts";

/** The page for somebody who opens the server's address in a browser. */
export function getHome(c: AppContext): Response | Promise<Response> {
  const rows = c.var.filesets.map((fileset) => {
    const files = `${routePath("files", { fileset: fileset.filesetName })}/`;
    const { recno } = fileset.headPosition;
    return html`<tr>
      <td><a href="${files}">${fileset.filesetName}</a></td>
      <td>${recno}</td>
      <td><code>${fileset.filesetId}</code></td>
    </tr>`;
  });
  return c.html(
    html`<!doctype html>
      <html lang="en">
        <meta charset="utf-8" />
        <title>izo</title>
        <h1>izo</h1>
        <table>
          <tr>
            <th>fileset</th>
            <th>records</th>
            <th>id</th>
          </tr>
          ${rows}
        </table>
        <p><a href="${ROUTES.openapi}">The API</a>, <a href="${ROUTES.metrics}">metrics</a></p>
      </html>`,
  );
}
