import { EMPTY_SHA256, ProblemError, type Sha256, textToBytes } from "@izo/core";

import type { AppContext } from "../routes/app-environment.ts";
import { openContent } from "../routes/get-content.ts";
import { sendContent } from "../routes/send-content.ts";
import { pathBehind } from "./request-path.ts";

/**
 * A file to be kept, never to be shown: whatever is in it, no browser takes it for a page of this server.
 * With `?sha256=` what it held before, for as long as that is kept.
 */
export async function getDownload(c: AppContext): Promise<Response> {
  const { fileset } = c.var;
  const path = pathBehind(c, "download");
  const sha256 = hashOf(c) ?? fileset.lookUp(path)?.object.sha256 ?? null;
  if (sha256 === null) {
    throw new ProblemError("unknown-path", `Cannot find the file ${JSON.stringify(path)}`, {
      path,
    });
  }
  const headers = {
    "Content-Disposition": attachment(path.slice(path.lastIndexOf("/") + 1)),
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
  };
  if (sha256 === EMPTY_SHA256) return c.body("", 200, headers);
  return sendContent(c, sha256, await openContent(fileset, sha256), headers);
}

function hashOf(c: AppContext): Sha256 | null {
  const text = c.req.query("sha256") ?? "";
  return /^[0-9a-f]{64}$/.test(text) ? (text as Sha256) : null;
}

/** The header that gives a download its name: all bytes of it, and ASCII for who reads no more (RFC 6266). */
export function attachment(name: string): string {
  const plain = name.replaceAll(/[^ -~]|["\\%]/g, "_");
  const encoded = Array.from(textToBytes(name), (byte) => {
    const character = String.fromCharCode(byte);
    return /^[A-Za-z0-9._~-]$/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
