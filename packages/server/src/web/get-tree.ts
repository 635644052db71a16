import { printable } from "@izo/core";
import { html } from "hono/html";

import type { Export } from "../export/export.ts";
import type { AppContext } from "../routes/app-environment.ts";
import { directoryBody } from "./directory-body.ts";
import { fileBody } from "./file-body.ts";
import { changesLink } from "./page-links.ts";
import { answerPage } from "./page.ts";
import { pathTrail } from "./path-trail.ts";
import { pathBehind } from "./request-path.ts";

/** A directory, a file, or that there is neither. */
export async function getTree(c: AppContext) {
  const { fileset } = c.var;
  const path = pathBehind(c, "tree");
  const entry = fileset.lookUp(path);
  if (entry === null) return answerNothing(c, fileset, path);
  const isDirectory = entry.object.kind === "directory";
  const page = Number(c.req.query("page") ?? "1");
  return answerPage(c, {
    title: `${printable(path)} of ${fileset.filesetName}`,
    fileset,
    section: "tree",
    body: isDirectory ? directoryBody(fileset, entry, page) : await fileBody(fileset, entry),
  });
}

function answerNothing(c: AppContext, fileset: Export, path: string) {
  return answerPage(
    c,
    {
      title: "Nothing there",
      fileset,
      section: "tree",
      body: html`${pathTrail(fileset, path)}
        <div class="lead idle"><p>Nothing is there now.</p></div>
        <p><a href="${changesLink(fileset, path)}">What the log says of it</a></p>`,
    },
    404,
  );
}
