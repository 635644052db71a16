import { parsePermitRequest, writePermitResponse, writePermitsResponse } from "@izo/core";
import { bodyLimit } from "hono/body-limit";
import { createFactory } from "hono/factory";

import { claimPeer } from "../auth/claim-peer.ts";
import { type AppContext, type AppEnvironment, endsOf } from "./app-environment.ts";
import { jsonResponse } from "./json-response.ts";
import { tooLarge } from "./too-large.ts";

/** A request about a permit is a few hundred bytes. */
const MAX_REQUEST_BYTES = 4096;

/** Takes, renews or hands back a permit; waits for one, or for somebody who wants it, when asked to. */
export const postPermit = createFactory<AppEnvironment>().createHandlers(
  bodyLimit({
    maxSize: MAX_REQUEST_BYTES,
    onError: () => tooLarge("request", MAX_REQUEST_BYTES),
  }),
  async (c) => {
    const request = parsePermitRequest(await c.req.text());
    claimPeer(c, request.peer);
    const lease = await c.var.fileset.permit(request, AbortSignal.any([...endsOf(c)]));
    return jsonResponse(c, writePermitResponse(lease));
  },
);

/** Who holds which permit. */
export function getPermits(c: AppContext): Response {
  return jsonResponse(c, writePermitsResponse(c.var.fileset.permits()));
}
