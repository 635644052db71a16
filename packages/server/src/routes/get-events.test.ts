import { once } from "node:events";
import type { Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { createAdaptorServer } from "@hono/node-server";
import {
  type FeedEvent,
  formatPosition,
  parseEventsResponse,
  type Position,
  type Recno,
  type ServerRecord,
  startPosition,
  writeEventsRequest,
} from "@izo/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Export } from "../export/export.ts";
import { openTestApp, type TestApp } from "../testing/test-app.ts";
import { createFile, TestPeer } from "../testing/test-peer.ts";
import { createApp } from "./app.ts";

let t: TestApp;
beforeAll(async () => {
  t = await openTestApp();
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

const start = (): Position => startPosition(t.fileset.filesetId);

/** Reads a feed until it has given what `isEnough` waits for, and leaves it. */
async function read(
  response: Response,
  isEnough: (events: readonly FeedEvent[]) => boolean,
): Promise<FeedEvent[]> {
  expect(response.status).toBe(200);
  const events: FeedEvent[] = [];
  for await (const event of parseEventsResponse(response.body!)) {
    events.push(event);
    if (isEnough(events)) break;
  }
  return events;
}

const recordsOf = (events: readonly FeedEvent[]): ServerRecord[] =>
  events.flatMap((event) => (event.kind === "record" ? [event.record] : []));
const upTo =
  (recno: number) =>
  (events: readonly FeedEvent[]): boolean =>
    events.at(-1)!.kind === "record" && recordsOf(events).at(-1)!.recno >= recno;

describe("GET /events", () => {
  test("gives the records that a poll gives, each under its position", async () => {
    const head = t.fileset.headPosition;
    const after = formatPosition(start());
    const events = await read(await t.get(`/events?after=${after}`), upTo(head.recno));
    const poll = await t.get(`/kml?after=${after}`, { Accept: "application/x-ndjson" });
    const polled = (await poll.text()).trimEnd().split("\n");
    expect(recordsOf(events)).toHaveLength(polled.length);
    expect(events[0]).toEqual({ kind: "head", position: start(), head });
    for (const event of events) {
      expect(event.kind === "problem" || t.fileset.positionAt(event.position.recno)).toEqual(
        event.kind !== "problem" && event.position,
      );
    }
  });

  test("gives what comes from now on, as it comes", async () => {
    const response = await t.get("/events");
    const before = t.fileset.headPosition.recno;
    await new TestPeer(t.fileset).push(createFile("lively"));
    const [, event] = await read(response, upTo(before + 1));
    expect(event).toMatchObject({
      kind: "record",
      position: t.fileset.headPosition,
      record: { recno: before + 1, operation: { opcode: "CREATE", path: "/lively" } },
    });
  });

  test("goes on behind Last-Event-ID, whatever its URL says", async () => {
    const { recno } = t.fileset.headPosition;
    const seen = t.fileset.positionAt((recno - 2) as Recno);
    const response = await t.get(`/events?after=${formatPosition(start())}`, {
      "Last-Event-ID": formatPosition(seen),
    });
    const records = recordsOf(await read(response, upTo(recno)));
    expect(records.map((record) => record.recno)).toEqual([recno - 1, recno]);
  });

  test.each([
    { description: "a path", filter: { path: "/sub" }, only: /^\/sub(\/|$)/ },
    { description: "operations", filter: { opcodes: ["MKDIR", "CREATE"] as const }, only: /./ },
  ])("gives only the records of $description", async ({ filter, only }) => {
    const peer = new TestPeer(t.fileset);
    const parent = t.fileset.lookUp("/sub")!.object.oid;
    await peer.push(createFile(`below-${only.source.length}`, undefined, parent));
    const { recno } = t.fileset.headPosition;
    const query = writeEventsRequest({ after: start(), ...filter });
    const records = recordsOf(await read(await t.get(`/events?${query}`), upTo(recno)));
    for (const { operation } of records) {
      expect(filter.opcodes ?? [operation.opcode]).toContain(operation.opcode);
      expect("path" in operation && operation.path).toMatch(only);
    }
    expect(records.length).toBeLessThan(recno);
  });

  test("says in its heartbeat how far it has looked, also where a filter lets nothing through", async () => {
    const after = start();
    const query = `${writeEventsRequest({ after, path: "/nothing/here" })}&heartbeat=1`;
    const events = await read(await t.get(`/events?${query}`), ({ length }) => length === 2);
    const head = t.fileset.headPosition;
    expect(events[0]).toMatchObject({ kind: "head", position: after });
    expect(events[1]).toEqual({ kind: "head", position: head, head });
  });

  test.each([
    { query: "op=NOTHING", headers: {}, status: 400, code: "invalid-request" },
    { query: "after=41", headers: {}, status: 400, code: "invalid-position" },
    { query: "", headers: { "Last-Event-ID": "41" }, status: 400, code: "invalid-position" },
    { query: "path=a%00b", headers: {}, status: 400, code: "invalid-name" },
    {
      query: `after=3/${"ab".repeat(32)}`,
      headers: {},
      status: 409,
      code: "log-diverged",
    },
  ])("refuses $query $headers with $code", async ({ query, headers, status, code }) => {
    const response = await t.get(`/events?${query}`, headers);
    expect([response.status, await response.json()]).toMatchObject([status, { code }]);
  });

  test("refuses what was cut off the log", async () => {
    await using own = await openTestApp();
    const after = formatPosition(startPosition(own.fileset.filesetId));
    await own.fileset.truncate({ olderThanMs: 0, isDryRun: false });
    const response = await own.get("/events", { "Last-Event-ID": after });
    expect([response.status, await response.json()]).toMatchObject([
      410,
      { code: "log-truncated" },
    ]);
  });

  test("tells a reader that was too slow that the log was cut off meanwhile, and ends", async () => {
    await using own = await openTestApp();
    const after = formatPosition(startPosition(own.fileset.filesetId));
    const response = await own.get(`/events?after=${after}`);
    await own.fileset.truncate({ olderThanMs: 0, isDryRun: false });
    const events = await read(response, () => false);
    expect(events.at(-1)).toMatchObject({ kind: "problem", problem: { code: "log-truncated" } });
  });
});

describe("GET /events over a socket", () => {
  test("reads no more of the log than its reader takes, and lets go of a reader that has gone", async () => {
    const endless = endlessLog(t.fileset);
    await using server = await listen(endless.fileset);
    const socket = connect(server.port, "127.0.0.1");
    socket.pause();
    await once(socket, "connect");
    const after = formatPosition(start());
    socket.write(`GET /v1/filesets/rootfset/events?after=${after} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const blockedAt = await whenStill(endless.chunks);
    // A socket's buffers hold a few MiB; the log has no end.
    expect(blockedAt).toBeGreaterThan(0);
    expect(blockedAt * CHUNK_RECORDS * 500).toBeLessThan(32 * 1024 * 1024);
    expect(await server.openFeeds()).toBe(1);

    socket.resume();
    while (endless.chunks() === blockedAt) await once(socket, "data");
    socket.destroy();
    while ((await server.openFeeds()) > 0) await sleep(5);
  });

  test("goes on with Last-Event-ID after its server was stopped and is there again", async () => {
    const { recno } = t.fileset.headPosition;
    let last = "";
    {
      await using server = await listen(t.fileset);
      const response = await fetch(`${server.origin}/events?after=${formatPosition(start())}`);
      const events = await read(response, upTo(recno - 1));
      last = formatPosition((events.at(-1) as { position: Position }).position);
    }
    await using server = await listen(t.fileset);
    const response = await fetch(`${server.origin}/events`, { headers: { "Last-Event-ID": last } });
    expect(recordsOf(await read(response, upTo(recno)))).toMatchObject([{ recno }]);
  });

  test("ends its feeds when the server is about to stop", async () => {
    const ending = new AbortController();
    await using server = await listen(t.fileset, ending.signal);
    const response = await fetch(`${server.origin}/events`);
    const events = read(response, () => false);
    ending.abort();
    expect((await events).map(({ kind }) => kind)).toEqual(["head"]);
  });
});

const CHUNK_RECORDS = 100;

/** An export whose log goes on for ever, and how many pieces of it were read. */
function endlessLog(fileset: Export): { fileset: Export; chunks: () => number } {
  let chunks = 0;
  const [record] = fileset.readLog(start(), { limitRecords: 1 }).records();
  const head = { ...fileset.headPosition, recno: Number.MAX_SAFE_INTEGER as Recno };
  const readLog: Export["readLog"] = (after, limits) => {
    const nothing = fileset.readLog(start(), { limitRecords: 0 });
    if (limits.limitRecords === 0) return nothing;
    chunks += 1;
    const positions = Array.from({ length: CHUNK_RECORDS }, (_, index) => ({
      ...after,
      recno: (after.recno + index + 1) as Recno,
    }));
    const steps = () =>
      positions.map((position) => ({ position, record: { ...record!, recno: position.recno } }));
    return { ...nothing, count: CHUNK_RECORDS, last: positions.at(-1)!, steps };
  };
  const own: Partial<Export> = { readLog, headPosition: head, waitForRecno: async () => head };
  const endless = new Proxy(fileset, {
    get: (target, key) => {
      const value: unknown = own[key as keyof Export] ?? target[key as keyof Export];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { fileset: endless, chunks: () => chunks };
}

async function listen(fileset: Export, signal?: AbortSignal) {
  const app = createApp({ filesets: [fileset], ...(signal && { signal }) });
  const http = createAdaptorServer({ fetch: (request) => app.fetch(request) }) as Server;
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  return {
    port,
    origin: `http://127.0.0.1:${port}/v1/filesets/rootfset`,
    async openFeeds(): Promise<number> {
      const text = await (await app.request("/metrics")).text();
      return Number(/^izo_event_feeds (\d+)/m.exec(text)![1]);
    },
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
}

/** A figure once it has stopped to grow. */
async function whenStill(figure: () => number): Promise<number> {
  for (;;) {
    const before = figure();
    await sleep(150);
    if (before > 0 && figure() === before) return before;
  }
}
