import { parseFilesPath, ProblemError, type TreeObject } from "@izo/core";
import { accepts } from "hono/accepts";
import { createFactory } from "hono/factory";
import { getMimeType } from "hono/utils/mime";

import type { PathEntry } from "../export/export.ts";
import type { AppContext, AppEnvironment } from "./app-environment.ts";
import { listingHtml, listingJson } from "./directory-listing.ts";
import { openContent } from "./get-content.ts";
import { ifUnchanged } from "./immutable.ts";
import { jsonResponse } from "./json-response.ts";
import { noQuery } from "./parameters.ts";
import { sendContent } from "./send-content.ts";
import { validate } from "./validate.ts";

/** Where the path of the file begins in a URL, behind scheme and host. */
const PREFIX = /^[a-z]+:\/\/[^/]+\/v1\/filesets\/[^/]+\/files(\/[^?#]*)?/;

/** A file's content, or what a directory holds; for people and `curl`. */
export const getFile = createFactory<AppEnvironment>().createHandlers(
  validate("query", noQuery),
  (c) => {
    // The URL as it came: the router has decoded its own copy of the path as UTF-8, names are bytes.
    const path = parseFilesPath(PREFIX.exec(c.req.url)?.[1] ?? "/");
    const entry = c.var.fileset.lookUp(path);
    if (entry === null) {
      throw new ProblemError("unknown-path", `Cannot find ${JSON.stringify(path)} in the fileset`, {
        path,
      });
    }
    return entry.object.kind === "file" ? sendFile(c, entry) : sendListing(c, entry);
  },
);

async function sendFile(c: AppContext, { path, object }: PathEntry): Promise<Response> {
  const { sha256 } = object;
  if (sha256 === null)
    throw new ProblemError("not-ready", `Cannot send ${path}: it has no content yet`);
  const headers = {
    "Cache-Control": "no-cache",
    "Last-Modified": lastModified(object),
    "Content-Type": getMimeType(path) ?? "application/octet-stream",
    // A page in somebody's files must not act in this server's name.
    "Content-Security-Policy": "sandbox",
    "X-Content-Type-Options": "nosniff",
  };
  const etag = `"${sha256}"`;
  if (ifUnchanged(c, etag)) return c.body(null, 304, { ...headers, ETag: etag });
  return sendContent(c, sha256, await openContent(c.var.fileset, sha256), headers);
}

function sendListing(c: AppContext, entry: PathEntry): Response | Promise<Response> {
  const type = accepts(c, {
    header: "Accept",
    supports: ["application/json", "text/html"],
    default: "application/json",
  });
  c.header("Vary", "Accept");
  if (type === "text/html") return c.html(listingHtml(c.var.fileset.filesetName, entry));
  return jsonResponse(c, listingJson(entry));
}

function lastModified({ mtimeNs }: TreeObject): string {
  return new Date(Number(mtimeNs / 1_000_000n)).toUTCString();
}
