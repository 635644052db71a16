import { formatTimeNs, ProblemError, type Recno, type TreeObject, writeListing } from "@izo/core";
import { accepts } from "hono/accepts";
import { createFactory } from "hono/factory";
import { getMimeType } from "hono/utils/mime";

import type { PathEntry } from "../export/tree/path-entry.ts";
import type { AppContext, AppEnvironment } from "./app-environment.ts";
import { listingHtml } from "./directory-listing.ts";
import { openContent } from "./get-content.ts";
import { ifUnchanged } from "./immutable.ts";
import { jsonResponse } from "./json-response.ts";
import { atQuery } from "./parameters.ts";
import { pathInUrl } from "./path-in-url.ts";
import { sendContent } from "./send-content.ts";
import { validate } from "./validate.ts";

/**
 * For what stood at a path behind a record: the same for ever. Private, because such a URL can be guessed:
 * a cache that others share must not hand it to whoever may not read it.
 */
const FIXED = { "Cache-Control": "private, max-age=31536000, immutable" } as const;

/** Of the present tree, or of a time that the log may not have reached yet. */
const CHANGING = { "Cache-Control": "no-cache" } as const;

/** A file's content, or what a directory holds; for people and `curl`. */
export const getFile = createFactory<AppEnvironment>().createHandlers(
  validate("query", atQuery),
  (c) => {
    const { at: place } = c.req.valid("query");
    const path = pathInUrl(c);
    const { fileset } = c.var;
    const at = place === undefined ? null : fileset.history.recnoOf(place);
    const entry = at === null ? fileset.lookUp(path) : fileset.history.lookUp(path, at);
    if (entry === null) throw unknownPath(path, at);
    const caching = place?.kind === "recno" ? FIXED : CHANGING;
    return entry.object.kind === "file"
      ? sendFile(c, entry, at, caching)
      : sendListing(c, entry, at, caching);
  },
);

/** @param at the record behind which it was looked for; null for the present tree */
export function unknownPath(path: string, at: Recno | null): ProblemError {
  const when = at === null ? "" : ` as it was behind record ${at}`;
  return new ProblemError(
    "unknown-path",
    `Cannot find ${JSON.stringify(path)} in the fileset${when}`,
    { path },
  );
}

async function sendFile(
  c: AppContext,
  { path, object }: PathEntry,
  at: Recno | null,
  caching: Readonly<Record<string, string>>,
): Promise<Response> {
  const { sha256 } = object;
  if (sha256 === null)
    throw new ProblemError("not-ready", `Cannot send ${path}: it has no content yet`);
  const headers = {
    ...caching,
    "Last-Modified": lastModified(object),
    "Content-Type": getMimeType(path) ?? "application/octet-stream",
    // A page in somebody's files must not act in this server's name.
    "Content-Security-Policy": "sandbox",
    "X-Content-Type-Options": "nosniff",
  };
  const etag = `"${sha256}"`;
  if (ifUnchanged(c, etag)) return c.body(null, 304, { ...headers, ETag: etag });
  const content =
    at === null
      ? await openContent(c.var.fileset, sha256)
      : await openOldContent(c, path, at, sha256);
  return sendContent(c, sha256, content, headers);
}

/** @throws ProblemError `content-expired`, which says since when nobody has it */
async function openOldContent(
  c: AppContext,
  path: string,
  at: Recno,
  sha256: NonNullable<TreeObject["sha256"]>,
): ReturnType<typeof openContent> {
  const { fileset } = c.var;
  const found = await fileset.openContent(sha256);
  if (found?.kind === "open") return found;
  const recno = found?.recno ?? null;
  const end = recno === null ? undefined : fileset.history.record(recno);
  const since =
    recno === null ? "" : `: record ${recno} replaced or removed it${whenOf(end?.logTimeNs)}`;
  throw new ProblemError(
    "content-expired",
    `Cannot send ${JSON.stringify(path)} as it was behind record ${at}${since}, and it is not kept any more`,
    { path, at, sha256, recno },
  );
}

function whenOf(timeNs: bigint | undefined): string {
  return timeNs === undefined ? "" : ` at ${formatTimeNs(timeNs)}`;
}

function sendListing(
  c: AppContext,
  entry: PathEntry,
  at: Recno | null,
  caching: Readonly<Record<string, string>>,
): Response | Promise<Response> {
  const type = accepts(c, {
    header: "Accept",
    supports: ["application/json", "text/html"],
    default: "application/json",
  });
  c.header("Vary", "Accept");
  if (type === "text/html") return c.html(listingHtml(c.var.fileset.filesetName, entry, at));
  const response = jsonResponse(c, writeListing({ ...entry, at }));
  if (at !== null) response.headers.set("Cache-Control", caching["Cache-Control"]!);
  return response;
}

function lastModified({ mtimeNs }: TreeObject): string {
  return new Date(Number(mtimeNs / 1_000_000n)).toUTCString();
}
