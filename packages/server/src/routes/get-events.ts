import { setImmediate } from "node:timers/promises";

import {
  formatPosition,
  HEADERS,
  isAbout,
  MEDIA_TYPES,
  type Opcode,
  parseEventsPath,
  parsePosition,
  type Position,
  problemOf,
  type ReplicatedOperation,
  writeEvent,
} from "@izo/core";
import { createFactory } from "hono/factory";

import type { Export } from "../export/export.ts";
import { type AppContext, type AppEnvironment, endsOf } from "./app-environment.ts";
import { eventsQuery } from "./parameters.ts";
import { streamBody } from "./stream-body.ts";
import { validate } from "./validate.ts";

/** Bytes of the log that are turned into events at a time: all that a slow reader makes the server hold. */
const CHUNK_BYTES = 64 * 1024;
/** Milliseconds after which a browser connects again. */
const RETRY_MS = 2000;

interface Feed {
  readonly after: Position;
  readonly path: string | undefined;
  readonly opcodes: ReadonlySet<Opcode> | null;
  readonly heartbeatMs: number;
}

/** The records of a log as they come, for whoever reads server-sent events. */
export const getEvents = createFactory<AppEnvironment>().createHandlers(
  validate("query", eventsQuery),
  (c) => {
    const { fileset } = c.var;
    const { after, op, heartbeat } = c.req.valid("query");
    const lastId = c.req.header(HEADERS.lastEventId);
    const feed: Feed = {
      after: (lastId && parsePosition(lastId)) || after || fileset.headPosition,
      path: parseEventsPath(/\?([^#]*)/.exec(c.req.url)?.[1] ?? ""),
      opcodes: op === undefined ? null : new Set(op),
      heartbeatMs: heartbeat * 1000,
    };
    // A position that is none of this log, or was cut off it, is refused before the feed begins.
    fileset.readLog(feed.after, { limitRecords: 0 });
    const gone = new AbortController();
    const ending = AbortSignal.any([...endsOf(c), gone.signal]);
    const body = streamBody(c, writeFeed(c, feed, ending), () => gone.abort());
    return c.body(body, 200, {
      "Content-Type": MEDIA_TYPES.events,
      [HEADERS.head]: formatPosition(fileset.headPosition),
      "Cache-Control": "no-store",
      // nginx would hold events back until its buffer is full.
      "X-Accel-Buffering": "no",
    });
  },
);

/** Nothing is read of the log before the client has taken what was read before. */
async function* writeFeed(
  c: AppContext,
  feed: Feed,
  ending: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const { fileset, metrics } = c.var;
  const encoder = new TextEncoder();
  using open = new DisposableStack();
  open.use(metrics.eventFeed());
  let position = feed.after;
  let toSend = `retry: ${RETRY_MS}\n\n${writeHead(fileset, position)}`;
  let sentMs = 0;
  for (;;) {
    if (toSend !== "") {
      yield encoder.encode(toSend);
      sentMs = performance.now();
    }
    const leftMs = Math.max(0, sentMs + feed.heartbeatMs - performance.now());
    const head = await fileset.waitForRecno(position.recno, leftMs, [ending]);
    if (ending.aborted) return;
    try {
      const chunk = fileset.readLog(position, { limitBytes: CHUNK_BYTES });
      toSend = "";
      for (const step of chunk.steps()) {
        if (!isWanted(step.record.operation, feed)) continue;
        toSend += writeEvent({ kind: "record", ...step });
      }
      position = chunk.last;
    } catch (error) {
      // Of a reader that was too slow the records may be cut off by now.
      yield encoder.encode(writeEvent({ kind: "problem", problem: problemOf(error) }));
      return;
    }
    // A filter may pass over all of a long log: others get their turn, and the client hears how far it is.
    if (position.recno < head.recno) await setImmediate();
    const isDue = performance.now() - sentMs >= feed.heartbeatMs;
    if (toSend === "" && isDue) toSend = writeHead(fileset, position);
  }
}

function writeHead({ headPosition }: Export, position: Position): string {
  return writeEvent({ kind: "head", position, head: headPosition });
}

function isWanted(operation: ReplicatedOperation, { path, opcodes }: Feed): boolean {
  if (opcodes !== null && !opcodes.has(operation.opcode)) return false;
  return path === undefined || path === "/" || isAbout(operation, path);
}
