import { parseFilesPath } from "@izo/core";

import type { AppContext } from "../routes/app-environment.ts";

/**
 * The path of the tree in the address of a page, behind `/filesets/NAME/<page>`: from the address as it
 * came, as the router has decoded its own copy as UTF-8, and names are bytes.
 *
 * @throws InvalidNameError; ProblemError `invalid-name`
 */
export function pathBehind(c: AppContext, page: "tree" | "download"): string {
  const pattern = new RegExp(`^[a-z]+://[^/]+/filesets/[^/]+/${page}(/[^?#]*)?`);
  return parseFilesPath(pattern.exec(c.req.url)?.[1] ?? "/");
}
