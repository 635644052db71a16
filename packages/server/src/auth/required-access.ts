import { type Route, ROUTES } from "@izo/core";

import type { TokenAccess } from "./stored-token.ts";

/** Routes that need no token, ever: they tell nothing but that a server is here. */
const OPEN: readonly Route[] = ["health", "login", "logout"];

/** What tells of records and figures, and holds no content: all that a token for the log may ask. */
const OF_LOG: readonly Route[] = [
  "home",
  "openapi",
  "metrics",
  "filesets",
  "profile",
  "status",
  "peers",
  "conflicts",
  "kml",
  "events",
  "tree",
  "history",
  "blame",
  "segments",
  "segment",
  "position",
  "snapshot",
];

/**
 * What can be confined to a path: all that a `read` token with one may ask. The log, the snapshot, packs
 * and contents by hash tell of the whole fileset, and there is no honest half of them.
 */
const BY_PATH: readonly Route[] = ["files", "filesets", "openapi"];

/** Where a `write` token with a path is held to it. Permits are of directories by their ids, and are not. */
const WRITES_BY_PATH: readonly Route[] = ["reintegrate", "content"];

/** What a request needs, by the route that answers it. */
export interface RequiredAccess {
  readonly access: TokenAccess | "none";
  /** May be asked with a token that has a path. */
  readonly isByPath: boolean;
  /** Its own path has to be at the token's, or below. */
  readonly isOfFile: boolean;
}

/**
 * What a token must allow for a request. Routes are opened here by name: one that is not named needs a
 * token for the whole fileset, to write where the method is no reading one, and so does a path without
 * any route.
 *
 * @param patterns those of the routes that match the request, as `ROUTES` spells them
 */
export function requiredAccess(method: string, patterns: readonly string[]): RequiredAccess {
  const isEach = (routes: readonly Route[]): boolean =>
    patterns.length > 0 &&
    patterns.every((pattern) => routes.some((route) => isOfRoute(pattern, route)));
  if (isEach(OPEN)) return { access: "none", isByPath: true, isOfFile: false };
  if (method !== "GET" && method !== "HEAD") {
    return { access: "write", isByPath: isEach(WRITES_BY_PATH), isOfFile: false };
  }
  const access = isEach(OF_LOG) ? "log" : "read";
  return { access, isByPath: isEach(BY_PATH), isOfFile: isEach(["files"]) };
}

/** Tells whether a route needs no token; the OpenAPI document says so. */
export function isOpen(route: Route): boolean {
  return OPEN.includes(route);
}

function isOfRoute(pattern: string, route: Route): boolean {
  return pattern === ROUTES[route] || pattern === `${ROUTES[route]}/*`;
}
