import { hash } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { gzipSync } from "node:zlib";

import { formatPosition, type Sha256, writeReintegrateRequest } from "@izo/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type RunningServer, serve } from "../serve.ts";
import { temporaryDirectory } from "../testing/temporary-export.ts";
import { createFile, TestPeer } from "../testing/test-peer.ts";
import { Budget } from "./budget.ts";
import type { Limits } from "./limits.ts";

let stack: AsyncDisposableStack;
beforeEach(() => {
  stack = new AsyncDisposableStack();
});
afterEach(() => stack.disposeAsync());

async function start(limits: Partial<Limits>): Promise<RunningServer> {
  const { dir } = stack.use(await temporaryDirectory());
  writeFileSync(`${dir}/file`, "content");
  return stack.use(await serve({ directory: dir, host: "127.0.0.1", port: 0, limits }));
}

const urlOf = (server: RunningServer, path: string): URL =>
  new URL(`/v1/filesets/rootfset/${path}`, server.url);

/** A connection that nobody reads from. */
async function open(server: RunningServer): Promise<Socket> {
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  stack.defer(() => void socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

describe("limits of a server", () => {
  test("one client has so many requests at a time, and others follow when they are answered", async () => {
    const server = await start({ maxRequests: 2 });
    const position = formatPosition(server.fileset.headPosition);
    const poll = urlOf(server, `kml?after=${position}&wait=55`);
    const leaving = new AbortController();
    const waiting = [1, 2].map(() => fetch(poll, { signal: leaving.signal }).catch(() => {}));
    const ask = async (): Promise<Response> => fetch(urlOf(server, "profile"));
    await expect.poll(async () => (await ask()).status, { timeout: 10_000 }).toBe(503);
    const refused = await ask();
    expect(await refused.json()).toMatchObject({ code: "overloaded" });
    expect(refused.headers.get("Retry-After")).toBe("1");
    leaving.abort();
    await Promise.all(waiting);
    await expect.poll(async () => (await ask()).status, { timeout: 10_000 }).toBe(200);
  });

  test("a push that memory has no room for is refused, and nothing is kept of it", async () => {
    const server = await start({ maxBufferedBytes: 64 });
    const peer = new TestPeer(server.fileset);
    const records = [peer.record(createFile("new"))];
    const received = { recno: 0, check: "0".repeat(16) } as never;
    const body = writeReintegrateRequest({
      peer: peer.peer,
      host: "laptop",
      received,
      records,
      contents: [],
    });
    const push = (): Promise<Response> =>
      fetch(urlOf(server, "reintegrate"), { method: "POST", body });
    expect((await push()).status).toBe(503);
    expect(await (await push()).json()).toMatchObject({ code: "overloaded" });
    expect(server.fileset.lookUp("/new")).toBeNull();
  });

  test("connections beyond the limit are closed, those that stand go on", async () => {
    const server = await start({ maxConnections: 2 });
    const first = await open(server);
    await open(server);
    const third = await open(server);
    await once(third, "close");
    first.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    const [answer] = (await once(first, "data")) as [Buffer];
    expect(answer.toString()).toContain("200 OK");
  });

  test("a head that is too long is refused", async () => {
    const server = await start({});
    const socket = await open(server);
    socket.write(`GET /healthz HTTP/1.1\r\nX: ${"x".repeat(100_000)}\r\n\r\n`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toContain("431");
  });
});

/** Sends a byte now and then, for as long as the server lets it. @returns how long that was */
async function drip(socket: Socket, head: string): Promise<number> {
  const began = performance.now();
  socket.write(head);
  const dripping = setInterval(() => socket.write("x"), 50);
  socket.resume();
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  // A byte that crosses the cut comes back as a reset.
  socket.on("error", () => {}).once("close", () => close());
  await closed;
  clearInterval(dripping);
  return performance.now() - began;
}

describe("a client that is slow on purpose", () => {
  // Node looks for connections that are over their time every 2 s.
  const soon = { headMs: 500, requestMs: 1_000 };
  const LONGEST_MS = 10_000;

  test.each([
    { description: "a head that never ends", head: "GET /healthz HTTP/1.1\r\nX: " },
    {
      description: "a push that never ends",
      head: "POST /v1/filesets/rootfset/reintegrate HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n",
    },
    {
      description: "a push in pieces that never end",
      head: "POST /v1/filesets/rootfset/reintegrate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
    },
    {
      description: "an upload that never ends",
      head: `PUT /v1/filesets/rootfset/content/${"ab".repeat(32)} HTTP/1.1\r\nHost: x\r\nUpload-Offset: 0\r\nUpload-Length: 1000000\r\nContent-Length: 1000000\r\n\r\n`,
    },
  ])("is cut off with $description, and others are served meanwhile", async ({ head }) => {
    const server = await start({ ...soon, maxBufferedBytes: 100_000 });
    const sockets = await Promise.all(Array.from({ length: 20 }, () => open(server)));
    const cut = Promise.all(sockets.map((socket) => drip(socket, head)));
    const peer = new TestPeer(server.fileset);
    const records = [peer.record(createFile("new"))];
    const received = { recno: 0, check: "0".repeat(16) } as never;
    const push = { peer: peer.peer, host: "laptop", received, records, contents: [] };
    const body = writeReintegrateRequest(push);
    const pushed = await fetch(urlOf(server, "reintegrate"), { method: "POST", body });
    expect(pushed.status).toBe(200);
    expect((await fetch(urlOf(server, "files/file"))).status).toBe(200);
    expect(Math.max(...(await cut))).toBeLessThan(LONGEST_MS);
  });

  test("keeps nobody from bringing the content of which it sends a part, or other bytes", async () => {
    const server = await start({});
    const content = "x".repeat(1000);
    const sha256 = hash("sha256", content);
    const upload = (sender: string | null, text: string, offsetBytes = 0) => {
      const bytes = (async function* () {
        yield Buffer.from(text);
      })();
      const range = { offsetBytes, totalBytes: content.length };
      return server.fileset.upload(sha256 as Sha256, bytes, range, sender);
    };
    await upload("hostile", "other bytes");
    const stuck = Promise.withResolvers<never>();
    stuck.promise.catch(() => {});
    const never = (async function* (): AsyncGenerator<Uint8Array> {
      yield await stuck.promise;
    })();
    const range = { offsetBytes: 11, totalBytes: content.length };
    const hostile = server.fileset.upload(sha256 as Sha256, never, range, "hostile");
    expect(server.fileset.uploadOffset(sha256 as Sha256, "honest").offsetBytes).toBe(0);
    expect(await upload("honest", content.slice(0, 600))).toMatchObject({ isComplete: false });
    // What is sent along with a push waits for nobody, either.
    server.fileset.stageInline(hash("sha256", "y") as Sha256, Buffer.from("y"));
    expect(await upload("honest", content.slice(600), 600)).toMatchObject({ isComplete: true });
    stuck.reject(new Error("the connection is cut"));
    await expect(hostile).rejects.toThrow("cut");
    expect(server.fileset.missingContents([sha256 as Sha256]).size).toBe(0);
  });

  test("keeps no push from bringing that content along", async () => {
    const server = await start({});
    const sha256 = hash("sha256", "small") as Sha256;
    const stuck = Promise.withResolvers<never>();
    stuck.promise.catch(() => {});
    const begun = Promise.withResolvers<void>();
    const never = (async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from("s");
      begun.resolve();
      yield await stuck.promise;
    })();
    const hostile = server.fileset.upload(sha256, never, { offsetBytes: 0, totalBytes: 5 });
    await begun.promise;
    server.fileset.stageInline(sha256, Buffer.from("small"));
    expect(server.fileset.missingContents([sha256]).size).toBe(0);
    stuck.reject(new Error("the connection is cut"));
    await expect(hostile).rejects.toThrow("cut");
  });
});

describe("what says that it is compressed", () => {
  test("is taken for what it is: nothing small becomes large", async () => {
    const server = await start({});
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const sha256 = hash("sha256", Buffer.alloc(50_000_000));
    const put = await fetch(urlOf(server, `content/${sha256}`), {
      method: "PUT",
      headers: {
        "Content-Encoding": "gzip",
        "Upload-Offset": "0",
        "Upload-Length": String(bomb.length),
      },
      body: bomb,
    });
    expect(put.status).toBe(422);
    expect(await put.json()).toMatchObject({ code: "wrong-hash" });
    const headers = { "Content-Encoding": "gzip" };
    const push = await fetch(urlOf(server, "reintegrate"), { method: "POST", headers, body: bomb });
    expect(push.status).toBe(400);
  });
});

describe("Budget", () => {
  test("gives back what it took, once, and no more than it has", () => {
    const budget = new Budget(10);
    const give = budget.take(8);
    expect(() => budget.take(3)).toThrow("Cannot answer now");
    const over = budget.hold(5);
    expect(budget.freeBytes).toBe(0);
    give();
    give();
    over();
    expect(budget.freeBytes).toBe(10);
  });
});
