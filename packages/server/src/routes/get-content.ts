import { ProblemError, type Sha256, writeUploadProgress } from "@izo/core";
import { createFactory } from "hono/factory";

import type { Export, OpenContent } from "../export/export.ts";
import type { AppEnvironment } from "./app-environment.ts";
import { ifUnchanged, IMMUTABLE } from "./immutable.ts";
import { contentParameters } from "./parameters.ts";
import { sendContent } from "./send-content.ts";
import { validate } from "./validate.ts";

/** A content by its hash. A HEAD says too how much of an upload of it is here. */
export const getContent = createFactory<AppEnvironment>().createHandlers(
  validate("param", contentParameters),
  async (c) => {
    const { fileset } = c.var;
    const { sha256 } = c.req.valid("param");
    if (c.req.method === "HEAD") setHeaders(c, uploadHeaders(c.var, sha256));
    // What a hash names never changes: who has it may keep it, whether or not it is still here.
    const etag = `"${sha256}"`;
    if (ifUnchanged(c, etag)) return c.body(null, 304, { ...IMMUTABLE, ETag: etag });
    return sendContent(c, sha256, await openContent(fileset, sha256), IMMUTABLE);
  },
);

/** @throws ProblemError `content-superseded`, `unknown-content` */
export async function openContent(fileset: Export, sha256: Sha256): Promise<OpenContent> {
  const found = await fileset.openContent(sha256);
  if (found === null) {
    throw new ProblemError("unknown-content", `Cannot send ${sha256}: no file has this content`, {
      sha256,
    });
  }
  if (found.kind === "open") return found;
  throw new ProblemError(
    "content-superseded",
    `Cannot send ${sha256}: record ${found.recno} replaced it`,
    { sha256, recno: found.recno },
  );
}

function uploadHeaders(
  { fileset, caller }: Pick<AppEnvironment["Variables"], "fileset" | "caller">,
  sha256: Sha256,
): Record<string, string> {
  const { offsetBytes } = fileset.uploadOffset(sha256, caller.holder);
  const isComplete = !fileset.missingContents([sha256]).has(sha256);
  return writeUploadProgress({ offsetBytes, isComplete });
}

function setHeaders(
  c: { header(name: string, value: string): void },
  headers: Readonly<Record<string, string>>,
): void {
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
}
