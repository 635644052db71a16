import { parseUploadRange, ProblemError, writeUploadProgress } from "@izo/core";
import { createFactory } from "hono/factory";

import type { AppEnvironment } from "./app-environment.ts";
import { contentParameters } from "./parameters.ts";
import { validate } from "./validate.ts";

/** Takes a content, or the rest of one. It counts when all of it is here and has the hash. */
export const putContent = createFactory<AppEnvironment>().createHandlers(
  validate("param", contentParameters),
  async (c) => {
    const { fileset, caller } = c.var;
    const { sha256 } = c.req.valid("param");
    const range = parseUploadRange((name) => c.req.header(name) ?? null);
    if (range === null) {
      throw new ProblemError(
        "invalid-request",
        "Cannot take the content: its headers do not say how long it is",
      );
    }
    const body: AsyncIterable<Uint8Array> = c.req.raw.body ?? noBytes();
    const progress = await fileset.upload(sha256, body, range, caller.holder);
    return c.body(null, progress.isComplete ? 201 : 202, writeUploadProgress(progress));
  },
);

async function* noBytes(): AsyncGenerator<Uint8Array, void> {}
