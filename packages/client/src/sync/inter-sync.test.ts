import { readFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { LoopbackServer } from "../testing/loopback-server.ts";
import { SyncHost } from "../testing/sync-host.ts";

let server: LoopbackServer;
const hosts: SyncHost[] = [];

beforeEach(async () => {
  server = await LoopbackServer.start();
});

afterEach(async () => {
  for (const host of hosts.splice(0)) await host[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function open(
  mode?: "on-demand" | "replica",
  url = server.url,
  cacheDir?: string,
): Promise<SyncHost> {
  const host = await SyncHost.open(url, mode, cacheDir);
  hosts.push(host);
  return host;
}

test("InterSync shows the server's tree to a new client", async () => {
  const a = await open();
  await a.write("/hello", "world");
  await a.flush();
  expect(readFileSync(join(server.dir, "hello"), "utf8")).toBe("world");
  const b = await open();
  expect(b.list()).toEqual(["hello"]);
  expect(await b.read("/hello")).toBe("world");
});

test("InterSync brings what one client does to another", async () => {
  const [a, b] = [await open(), await open()];
  a.mkdir("/d");
  await a.write("/d/one", "1");
  await a.write("/d/two", "2");
  a.rename("/d/one", "/d/three");
  await a.flush();
  await b.catchUpWith(a);
  expect(b.list("/d")).toEqual(["three", "two"]);
  expect(await b.read("/d/three")).toBe("1");
  b.unlink("/d/two");
  await b.write("/d/three", "changed");
  await b.flush();
  await a.catchUpWith(b);
  expect(a.list("/d")).toEqual(["three"]);
  expect(await a.read("/d/three")).toBe("changed");
  expect(a.replica.pendingCount + b.replica.pendingCount).toBe(0);
});
