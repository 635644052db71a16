import type { IncomingMessage, ServerResponse } from "node:http";

import { MAX_INLINE_BYTES, problemOf, writeProblem } from "@izo/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { forward, HttpLine } from "../../testing/http-line.ts";
import { LoopbackServer } from "../../testing/loopback-server.ts";
import { SyncHost } from "../../testing/sync-host.ts";

const SOON = { timeout: 20_000 };

let cleanup: AsyncDisposableStack;
let server: LoopbackServer;
let host: SyncHost;
/** What is done with requests of a path that has this in it, in place of the server. */
let instead: { readonly path: string; readonly answer: (response: ServerResponse) => void } | null;

function answer(asked: IncomingMessage, response: ServerResponse): void {
  if (instead !== null && asked.url?.includes(instead.path)) {
    asked.resume();
    instead.answer(response);
    return;
  }
  forward(asked, response, server.port).on("response", (answered) => {
    response.writeHead(answered.statusCode!, answered.headers);
    answered.pipe(response);
  });
}

beforeEach(async () => {
  instead = null;
  cleanup = new AsyncDisposableStack();
  server = cleanup.use(await LoopbackServer.start());
  const line = cleanup.use(await HttpLine.open(answer));
  host = cleanup.use(await SyncHost.open(line.url));
  await vi.waitUntil(() => host.sync.status().lagMs === 0, SOON);
});

afterEach(async () => {
  await cleanup.disposeAsync();
});

const waitsFor = () => host.sync.status().waitsFor;
const first = () => waitsFor()[0];

describe("InterSync.status() says what own changes wait for:", () => {
  it("nothing, where none wait", async () => {
    await host.write("/a", "sent");
    expect(first()).toMatchObject({ path: "/a" });
    await host.flush();
    expect(waitsFor()).toEqual([]);
  });

  it("its user, who keeps it offline", () => {
    host.sync.setForcedOffline(true);
    const beforeMs = Date.now();
    host.mkdir("/d");
    expect(waitsFor()).toMatchObject([
      { reason: "forced-offline", opcode: "MKDIR", path: "/d", message: null, retryAtMs: null },
    ]);
    expect(first()!.sinceMs).toBeGreaterThan(beforeMs - 1000);
  });

  it("the server, which does not answer", async () => {
    await server.kill();
    host.mkdir("/d");
    await expect.poll(first, SOON).toMatchObject({
      reason: "no-connection",
      path: "/d",
      message: expect.any(String),
      retryAtMs: expect.any(Number),
    });
  });

  it("the answer to what was sent", async () => {
    instead = { path: "/reintegrate", answer: () => {} };
    host.mkdir("/d");
    await expect.poll(first, SOON).toMatchObject({ reason: "sent", opcode: "MKDIR", path: "/d" });
  });

  it("another attempt, where the server has refused it", async () => {
    const full = problemOf(Object.assign(new Error("no room for it"), { code: "ENOSPC" }));
    instead = {
      path: "/reintegrate",
      answer: (response) => {
        response.writeHead(full.status, { "content-type": "application/problem+json" });
        response.end(writeProblem(full));
      },
    };
    host.mkdir("/d");
    await expect.poll(first, SOON).toMatchObject({
      reason: "push-failed",
      path: "/d",
      message: "no room for it",
      retryAtMs: expect.any(Number),
    });
    expect(first()!.retryAtMs!).toBeGreaterThan(Date.now() - 1000);
  });

  it("its hash, or the end of the upload of its content", async () => {
    instead = { path: "/content/", answer: () => {} };
    await host.write("/large", "x".repeat(MAX_INLINE_BYTES + 1));
    expect(waitsFor()).toContainEqual(expect.objectContaining({ reason: "unhashed" }));
    await expect
      .poll(waitsFor, SOON)
      .toMatchObject([{ reason: "uploading", opcode: "CLOSE", path: "/large" }]);
  });

  it("a program that has the file open, and nothing else where all else is sent", async () => {
    const file = await host.hold("/journal");
    await host.write("/journal", "by one of two");
    await host.write("/other", "whole");
    await expect
      .poll(waitsFor, SOON)
      .toMatchObject([{ reason: "written", opcode: "CLOSE", path: "/journal" }]);
    file.close();
    await host.flush();
  });
});
