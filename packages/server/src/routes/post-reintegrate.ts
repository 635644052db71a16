import { hash } from "node:crypto";

import {
  HEADERS,
  MAX_PUSH_BYTES,
  parseReintegrateRequest,
  writeReintegrateResponse,
} from "@izo/core";
import { bodyLimit } from "hono/body-limit";
import { createFactory } from "hono/factory";

import { claimPeer } from "../auth/claim-peer.ts";
import type { AppEnvironment } from "./app-environment.ts";
import { jsonResponse } from "./json-response.ts";
import { tooLarge } from "./too-large.ts";

const digest = (bytes: Uint8Array): Uint8Array => hash("sha256", bytes, "buffer");

/** A batch of a client's records: what it answers is durable. */
export const postReintegrate = createFactory<AppEnvironment>().createHandlers(
  bodyLimit({ maxSize: MAX_PUSH_BYTES, onError: () => tooLarge("batch", MAX_PUSH_BYTES) }),
  async (c) => {
    const { fileset, metrics, caller } = c.var;
    const { contents, ...push } = parseReintegrateRequest(
      new Uint8Array(await c.req.arrayBuffer()),
      digest,
    );
    claimPeer(c, push.peer);
    await Promise.all(contents.map(({ sha256, bytes }) => fileset.stageInline(sha256, bytes)));
    const isRemovalConfirmed = c.req.header(HEADERS.removalConfirmed) === "?1";
    const results = await fileset.reintegrate({
      ...push,
      isRemovalConfirmed,
      below: caller.writesBelow,
    });
    metrics.pushed(results);
    return jsonResponse(c, writeReintegrateResponse({ head: fileset.headPosition, results }));
  },
);
