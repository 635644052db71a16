import { ROUTES } from "@izo/core";
import { Hono } from "hono";

import type { AppEnvironment } from "../routes/app-environment.ts";
import { resolveFileset } from "../routes/resolve-fileset.ts";
import { answerErrorPage } from "./answer-error-page.ts";
import { getAsset } from "./assets.ts";
import { getChanges } from "./get-changes.ts";
import { getConflict } from "./get-conflict.ts";
import { getConflicts } from "./get-conflicts.ts";
import { getDownload } from "./get-download.ts";
import { getHome } from "./get-home.ts";
import { getOverview } from "./get-overview.ts";
import { getTree } from "./get-tree.ts";
import { PAGE_ROUTES } from "./page-routes.ts";
import { postConflict } from "./post-conflict.ts";

/**
 * The pages for people: what the protocol gives, made readable by the server itself. They ask an export
 * as the routes of the protocol do, and change nothing but by a decision about a conflict.
 */
export function createPages(): Hono<AppEnvironment> {
  const pages = new Hono<AppEnvironment>();
  pages.onError(answerErrorPage);
  pages.use(PAGE_ROUTES.overview, resolveFileset);
  pages.use(`${PAGE_ROUTES.overview}/*`, resolveFileset);
  pages.get(ROUTES.home, getHome);
  pages.get(PAGE_ROUTES.asset, getAsset);
  pages.get(PAGE_ROUTES.overview, getOverview);
  pages.get(PAGE_ROUTES.changes, getChanges);
  pages.get(PAGE_ROUTES.tree, getTree);
  pages.get(`${PAGE_ROUTES.tree}/*`, getTree);
  pages.get(`${PAGE_ROUTES.download}/*`, getDownload);
  pages.get(PAGE_ROUTES.conflicts, getConflicts);
  pages.get(PAGE_ROUTES.conflict, getConflict);
  pages.post(PAGE_ROUTES.conflict, ...postConflict);
  return pages;
}
