import { parseFilesPath } from "@izo/core";

import type { AppContext } from "./app-environment.ts";

/** Where the path of a file begins in a URL, behind scheme and host, the fileset and the resource. */
const PREFIX = /^[a-z]+:\/\/[^/]+\/v1\/filesets\/[^/]+\/[^/?#]+(\/[^?#]*)?/;

/**
 * The path that follows a route, `/a/b`, from the URL as it came: the router has decoded its own copy as
 * UTF-8, names are bytes.
 *
 * @throws InvalidNameError; ProblemError `invalid-name`
 */
export function pathInUrl(c: AppContext): string {
  return parseFilesPath(PREFIX.exec(c.req.url)?.[1] ?? "/");
}
