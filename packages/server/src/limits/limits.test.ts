import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";

import { writeReintegrateRequest } from "@izo/core";
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
    const { recno, hash } = server.fileset.headPosition;
    const poll = urlOf(server, `kml?after=${recno}/${hash}&wait=55`);
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
