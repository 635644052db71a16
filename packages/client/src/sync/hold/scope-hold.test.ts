import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, request as forward } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { parseReintegrateRequest, ProblemError, problemOf, writeProblem } from "@izo/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { LoopbackServer } from "../../testing/loopback-server.ts";
import { SyncHost } from "../../testing/sync-host.ts";
import { ChangesHeldError } from "./scope-hold.ts";

const SOON = { timeout: 10_000 };

let cleanup: AsyncDisposableStack;
let server: LoopbackServer;
let host: SyncHost;

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  server = cleanup.use(await LoopbackServer.start());
  host = cleanup.use(await SyncHost.open(server.url));
  for (const name of ["/docs", "/docs/deep", "/other"]) host.mkdir(name);
  for (const name of ["/file", "/docs/file", "/other/file"]) await host.write(name, "as it was");
  await host.flush();
});

afterEach(() => cleanup.disposeAsync());

const onServer = (name: string): string => readFileSync(join(server.dir, name), "utf8");

/** What the server says of the mount has changed. */
function allow(changesBelow: string | null): void {
  host.changesBelow = changesBelow;
  host.sync.noteCredentials();
}

describe("a mount that may change one directory", () => {
  beforeEach(() => allow("/docs"));

  it("changes what is below it, and nothing beside it or across its border", async () => {
    await host.write("/docs/new", "made");
    host.mkdir("/docs/deep/new");
    await host.write("/docs/deep/new/file", "made");
    host.rename("/docs/file", "/docs/deep/moved");
    const refused: Record<string, () => unknown> = {
      "a file beside it": () => host.write("/new", ""),
      "a content beside it": () => host.write("/file", "changed"),
      "a directory beside it": () => host.mkdir("/new"),
      "the directory itself": () => host.rename("/docs", "/elsewhere"),
      "a move out of it": () => host.rename("/docs/deep/moved", "/moved"),
      "a move into it": () => host.rename("/file", "/docs/moved"),
      "a removal": () => host.unlink("/other/file"),
    };
    const codes: Record<string, unknown> = {};
    for (const [name, change] of Object.entries(refused)) {
      // oxlint-disable-next-line no-await-in-loop -- one after another, as a program would
      codes[name] = await (async () => change())().catch(({ code }) => code as unknown);
    }
    expect(codes).toEqual(Object.fromEntries(Object.keys(refused).map((name) => [name, "EROFS"])));
    await host.flush();
    expect(onServer("docs/deep/new/file")).toBe("made");
    expect(onServer("docs/deep/moved")).toBe("as it was");
    expect(host.sync.status()).toMatchObject({
      pending: 0,
      changesBelow: "/docs",
      lastError: null,
    });
  });

  it("sends nothing of what it could change before, keeps it, and sends all else [P3]", async () => {
    allow("/");
    host.sync.setForcedOffline(true);
    await host.write("/file", "changed before");
    host.mkdir("/made");
    await host.write("/made/file", "made before");
    await host.write("/docs/file", "changed");
    allow("/docs");
    host.sync.setForcedOffline(false);
    await expect(host.flush()).rejects.toMatchObject({ cause: expect.any(ChangesHeldError) });
    expect(onServer("docs/file")).toBe("changed");
    expect(onServer("file")).toBe("as it was");
    expect(await host.read("/made/file")).toBe("made before");
    const waits = host.sync.status();
    expect(waits.lastError).toMatchObject({ code: "out-of-scope" });
    expect(waits.lastError?.message).toContain('first of "/file"');
    expect(waits.lastError?.advice).toContain("token");
    expect(waits.waitsFor).toMatchObject([{ reason: "not-permitted", path: "/file" }]);
    expect(host.sync.planPush().records).toContainEqual(
      expect.objectContaining({ path: "/made/file", verdict: "waits" }),
    );

    // The next process holds them as well, and a token that allows them lets them go.
    await host.stop();
    await host.start(server.url);
    expect(await host.read("/file")).toBe("changed before");
    await expect(host.flush()).rejects.toMatchObject({ cause: expect.any(ChangesHeldError) });
    allow("/");
    await host.flush();
    expect(onServer("file")).toBe("changed before");
    expect(onServer("made/file")).toBe("made before");
    expect(host.sync.status().lastError).toBeNull();
  });

  it("sends what it may under a new id where it was sent together with what it may not [P3]", async () => {
    allow("/");
    await using proxy = await confiningProxy(server.port);
    await host.stop();
    await host.start(proxy.url);
    const { peer } = host.replica;
    host.sync.setForcedOffline(true);
    await host.write("/file", "changed before");
    await host.write("/docs/file", "changed");
    await expect.poll(() => host.replica.unsealed(), SOON).toEqual([]);
    host.sync.setForcedOffline(false);
    await expect.poll(() => host.sync.status().lastError?.code, SOON).toBe("out-of-scope");
    expect(host.replica.pending.frozen).toHaveLength(2);
    allow("/docs");
    await expect(host.flush()).rejects.toMatchObject({ cause: expect.any(ChangesHeldError) });
    expect(onServer("docs/file")).toBe("changed");
    expect(onServer("file")).toBe("as it was");
    expect(await host.read("/file")).toBe("changed before");
    expect(host.replica.peer).not.toBe(peer);
    proxy.below = "/";
    allow("/");
    await host.flush();
    expect(onServer("file")).toBe("changed before");
  });

  it("finishes files that were open when it could change them", async () => {
    allow("/");
    const open = await host.hold("/file");
    allow("/docs");
    open.write("written to the end");
    open.close();
    expect(await host.read("/file")).toContain("written to the end");
    await expect(host.write("/file", "again")).rejects.toMatchObject({ code: "EROFS" });
    await expect.poll(() => host.sync.status().lastError?.code).toBe("out-of-scope");
  });
});

it("a mount that may change nothing refuses everything, and sends nothing", async () => {
  host.sync.setForcedOffline(true);
  await host.write("/file", "changed before");
  allow(null);
  host.sync.setForcedOffline(false);
  await expect(host.write("/docs/file", "changed")).rejects.toMatchObject({ code: "EROFS" });
  await expect(host.flush()).rejects.toMatchObject({ cause: { code: "read-only" } });
  expect(onServer("file")).toBe("as it was");
  expect(await host.read("/file")).toBe("changed before");
});

/** Stands for a server whose token is for one directory: it refuses pushes that leave it, whole. */
async function confiningProxy(port: number) {
  const state = { below: "/docs" };
  const http = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      if (request.url?.endsWith("/reintegrate") === true && leaves(body, state.below)) {
        const problem = problemOf(new ProblemError("out-of-scope", "Cannot take the push"));
        response.writeHead(problem.status, { "Content-Type": "application/problem+json" });
        response.end(writeProblem(problem));
        return;
      }
      const { method, headers, url: path } = request;
      const onward = forward({ port, method, headers, path }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      onward.on("error", () => response.destroy());
      response.on("close", () => onward.destroy());
      onward.end(body);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return Object.assign(state, {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/rootfset`,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  });
}

function leaves(body: Buffer, below: string): boolean {
  const { records } = parseReintegrateRequest(new Uint8Array(body), (bytes) =>
    hash("sha256", bytes, "buffer"),
  );
  return records.some(({ operation }) => "path" in operation && !operation.path.startsWith(below));
}
