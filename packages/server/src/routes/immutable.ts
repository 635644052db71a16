import type { AppContext } from "./app-environment.ts";

/** For what a URL names for ever: any cache may keep it (RFC 8246). */
export const IMMUTABLE = { "Cache-Control": "public, max-age=31536000, immutable" } as const;

/** Tells whether the client has it already (RFC 9110, section 13.1.2). */
export function ifUnchanged(c: AppContext, etag: string): boolean {
  const header = c.req.header("If-None-Match");
  if (header === undefined) return false;
  const tags = header.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}
