import { setImmediate as afterOthers } from "node:timers/promises";

import {
  formatPosition,
  HEADERS,
  MAX_POLL_BYTES,
  MEDIA_TYPES,
  parseContentsHeader,
  parsePeerHeader,
  type Position,
  recordToJson,
} from "@izo/core";
import { accepts } from "hono/accepts";
import { createFactory } from "hono/factory";

import { claimPeer } from "../auth/claim-peer.ts";
import type { LogChunk } from "../export/export.ts";
import { holdUntilAnswered } from "../limits/limit-requests.ts";
import { type AppContext, type AppEnvironment, endsOf } from "./app-environment.ts";
import { pollQuery } from "./parameters.ts";
import { isAllOf, pollWithContents } from "./poll-contents.ts";
import { validate } from "./validate.ts";

/** Records behind a position; the answer waits for one when there is none. */
export const getKml = createFactory<AppEnvironment>().createHandlers(
  validate("query", pollQuery),
  async (c) => {
    const { after, wait, limit } = c.req.valid("query");
    const polling = parsePeerHeader(c.req.header(HEADERS.peer) ?? null);
    if (polling !== null) {
      claimPeer(c, polling.peer);
      c.var.fileset.notePeer(polling.peer, polling.host, after.recno);
    }
    const { chunk, head } = await readOrWait(c, after, wait * 1000, limit);
    // To who made the records they are no news: those who wait for them come first.
    if (polling !== null && isAllOf(chunk, polling.peer)) await afterOthers();
    const type = accepts(c, {
      header: "Accept",
      supports: [MEDIA_TYPES.kml, MEDIA_TYPES.ndjson],
      default: MEDIA_TYPES.kml,
    });
    const isText = type === MEDIA_TYPES.ndjson;
    const upToBytes = parseContentsHeader(c.req.header(HEADERS.contents) ?? null);
    const framed =
      isText || !c.var.caller.readsContents
        ? null
        : pollWithContents(c.var.fileset, chunk, upToBytes, polling?.peer ?? null);
    const body = isText ? writeLines(chunk) : (framed ?? chunk.bytes);
    c.var.metrics.bytesServed(body.length);
    holdUntilAnswered(c, body.length);
    return c.body(body as Uint8Array<ArrayBuffer> | string, 200, {
      "Content-Type": framed === null ? type : MEDIA_TYPES.kmlWithContents,
      [HEADERS.head]: formatPosition(head),
      "Cache-Control": "no-store",
      Vary: `Accept, ${HEADERS.contents}`,
    });
  },
);

/** No answer is smaller for want of memory. */
const LEAST_BYTES = 64 * 1024;

/** One answer takes this part of what is free. */
const SHARE = 16;

async function readOrWait(
  c: AppContext,
  after: Position,
  waitMs: number,
  limitRecords: number,
): Promise<{ chunk: LogChunk; head: Position }> {
  const { fileset, metrics, budget } = c.var;
  const limits = {
    limitRecords,
    // The more waits for slow readers, the less each gets at a time; one record always comes.
    get limitBytes() {
      return Math.max(LEAST_BYTES, Math.min(MAX_POLL_BYTES, budget.freeBytes / SHARE));
    },
  };
  // Read first: a position that is none is to be refused at once, not after the wait.
  const chunk = fileset.readLog(after, limits);
  if (chunk.count > 0 || waitMs === 0) return { chunk, head: fileset.headPosition };
  await metrics.whilePollWaits(fileset.waitForRecno(after.recno, waitMs, endsOf(c)));
  return { chunk: fileset.readLog(after, limits), head: fileset.headPosition };
}

function writeLines(chunk: LogChunk): string {
  let text = "";
  for (const record of chunk.records()) text += `${JSON.stringify(recordToJson(record))}\n`;
  return text;
}
