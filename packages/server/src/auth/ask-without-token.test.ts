import { once } from "node:events";
import { request } from "node:http";
import { text } from "node:stream/consumers";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createApp } from "../routes/app.ts";
import { serve } from "../serve.ts";
import { openTestApp, type TestApp } from "../testing/test-app.ts";
import { tokensOf } from "./token-control.ts";

let t: TestApp;
beforeEach(async () => {
  t = await openTestApp();
});
afterEach(() => t[Symbol.asyncDispose]());

const FILE = "/v1/filesets/rootfset/files/hello.txt";
const PERMIT = {
  method: "POST",
  body: JSON.stringify({
    action: "take",
    peer: "ab".repeat(16),
    host: "page",
    oid: "00".repeat(15) + "01",
    waitSeconds: 0,
  }),
};

/** As no `fetch` can: under another name than that of the address. */
async function ask(url: string, headers: Record<string, string>): Promise<string> {
  const sent = request(new URL(FILE, url), { headers }).end();
  const [response] = await once(sent, "response");
  return `${response.statusCode} ${await text(response)}`;
}

test("a server for its machine alone is asked by names that nobody else gives out", async () => {
  const app = createApp({ filesets: [t.fileset], isForThisMachine: true });
  const status = async (host: string): Promise<number> =>
    (await app.request(FILE, { headers: { Host: host } })).status;
  const own = ["127.0.0.1:8370", "localhost", "LocalHost:8370", "a.localhost.", "[::1]:8370"];
  for (const host of [...own, "10.0.0.7"]) expect([host, await status(host)]).toEqual([host, 200]);
  const foreign = ["evil.example:8370", "localhost.evil.example", "127.0.0.1.nip.io", "[evil]", ""];
  for (const host of foreign) expect([host, await status(host)]).toEqual([host, 401]);
});

test("one that others are to reach, or that is asked over a socket, goes by any name", async () => {
  const headers = { Host: "nas.example.org" };
  expect((await t.app.request(FILE, { headers })).status).toBe(200);
});

test("a page of another site changes nothing where nobody needs a token", async () => {
  const url = "/v1/filesets/rootfset/permit";
  const from = async (origin: Record<string, string>): Promise<number> => {
    const headers = { ...origin, Host: "127.0.0.1:8370", "Content-Type": "text/plain" };
    return (await t.app.request(url, { ...PERMIT, headers })).status;
  };
  for (const origin of ["http://evil.example", "http://127.0.0.1:3000", "null", ""]) {
    expect([origin, await from({ Origin: origin })]).toEqual([origin, 403]);
  }
  expect(t.fileset.permits()).toEqual([]);
  expect(await from({ Origin: "http://127.0.0.1:8370" })).toBe(200);
  expect(await from({})).toBe(200);
});

test("serve() asks for a token where its address is given another name, unless it is told not to", async () => {
  const host = { host: "127.0.0.1", port: 0 };
  const named = { Host: "evil.example" };
  await t.fileset[Symbol.asyncDispose]();
  {
    await using server = await serve({ directory: t.dir, ...host });
    expect(await ask(server.url, {})).toBe("200 hello, world\n");
    expect(await ask(server.url, named)).toContain('who asks for \\"evil.example\\" needs a token');
    // A proxy that passes names on is let in with the tokens of those who ask it.
    const { text: token } = tokensOf(t.dir, "rootfset").create({
      access: "read",
      path: "/",
      expiresMs: null,
    });
    const bearer = { ...named, Authorization: `Bearer ${token}` };
    await expect.poll(() => ask(server.url, bearer)).toBe("200 hello, world\n");
  }
  await using insecure = await serve({
    directory: t.dir,
    filesetName: "other",
    ...host,
    isInsecure: true,
  });
  expect(await ask(insecure.url, named)).toContain("404 ");
});
