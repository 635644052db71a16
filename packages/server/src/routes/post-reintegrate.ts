import { hash } from "node:crypto";

import {
  HEADERS,
  MAX_PUSH_BYTES,
  parseReintegrateRequest,
  ProblemError,
  writeReintegrateResponse,
} from "@izo/core";
import { createFactory } from "hono/factory";

import { claimPeer } from "../auth/claim-peer.ts";
import { readBody } from "../limits/read-body.ts";
import type { AppEnvironment } from "./app-environment.ts";
import { jsonResponse } from "./json-response.ts";

const digest = (bytes: Uint8Array): Uint8Array => hash("sha256", bytes, "buffer");

/** A batch of a client's records: what it answers is durable. */
export const postReintegrate = createFactory<AppEnvironment>().createHandlers(async (c) => {
  const { fileset, metrics, caller, budget } = c.var;
  const { writesBelow: below } = caller;
  if (below === null) {
    throw new ProblemError("out-of-scope", "Cannot take the push: the token is for no changes");
  }
  const body = await readBody(c, { what: "batch", maxBytes: MAX_PUSH_BYTES }, budget);
  try {
    const { contents, ...push } = parseReintegrateRequest(body.bytes, digest);
    claimPeer(c, push.peer);
    for (const { sha256, bytes } of contents) fileset.stageInline(sha256, bytes);
    const isRemovalConfirmed = c.req.header(HEADERS.removalConfirmed) === "?1";
    const results = await fileset.reintegrate({
      ...push,
      isRemovalConfirmed,
      below,
    });
    metrics.pushed(results);
    return jsonResponse(c, writeReintegrateResponse({ head: fileset.headPosition, results }));
  } finally {
    body.release();
  }
});
