import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { checkExposure } from "./auth/check-exposure.ts";
import { tokensOf } from "./auth/token-control.ts";
import { CannotListenError, serve } from "./serve.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "izo-serve-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

test("serve() answers at its URL, also while others wait for records, and ends with them", async () => {
  writeFileSync(join(directory, "a"), "content");
  const server = await serve({ directory, filesetName: "name of it", host: "127.0.0.1", port: 0 });
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/name%20of%20it$/);
  const base = new URL("/v1/filesets/name%20of%20it/", server.url);
  const head = server.fileset.headPosition;
  const waiting = fetch(new URL(`kml?after=${head.recno}/${head.hash}&wait=60`, base));
  expect(await (await fetch(new URL("files/a", base))).text()).toBe("content");
  await server[Symbol.asyncDispose]();
  expect((await waiting).status).toBe(200);
  await expect(fetch(base)).rejects.toThrow("fetch failed");
});

test("serve() finds a taken port before it touches the export", async () => {
  const other = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  other.listen(0, "127.0.0.1", resolve);
  await promise;
  const { port } = other.address() as { port: number };
  const missing = join(directory, "missing");
  const failure = serve({ directory: missing, host: "127.0.0.1", port });
  await expect(failure).rejects.toThrow(CannotListenError);
  await expect(failure).rejects.toThrow(`Cannot listen on 127.0.0.1:${port}: `);
  other.close();
});

test("serve() lets go of the port when the export cannot be opened", async () => {
  const missing = join(directory, "missing");
  const options = { host: "127.0.0.1", port: 0 };
  await expect(serve({ directory: missing, ...options })).rejects.toThrow("Cannot");
  const file = join(directory, "file");
  writeFileSync(file, "");
  await expect(serve({ directory: file, ...options })).rejects.toThrow(
    `Cannot export "${file}": it is not a directory`,
  );
});

test("serve() lets other machines in only with TLS and tokens, or when told to", async () => {
  const open = { directory, host: "0.0.0.0", port: 0 };
  await expect(serve(open)).rejects.toThrow(
    "Cannot listen on 0.0.0.0: other machines reach it, and nothing is encrypted and nobody is asked for a token",
  );
  await using server = await serve({ ...open, isInsecure: true });
  expect(server.url).toContain("http://0.0.0.0:");
  const has = { host: "::", isInsecure: false };
  for (const [hasTls, requiresTokens] of [
    [true, false],
    [false, true],
  ] as const) {
    expect(() => checkExposure({ ...has, hasTls, requiresTokens })).toThrow("Cannot listen on ::");
  }
  checkExposure({ ...has, hasTls: true, requiresTokens: true });
});

test("serve() asks for tokens from the first one on, and lets nobody in after the last", async () => {
  await using server = await serve({ directory, host: "127.0.0.1", port: 0 });
  const url = new URL("/v1/filesets/rootfset/profile", server.url);
  const status = async (token?: string): Promise<number> =>
    (await fetch(url, token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }))
      .status;
  const tokens = tokensOf(directory, "rootfset");
  expect(await status()).toBe(200);
  const { text, stored } = tokens.create({ access: "read", path: "/", expiresMs: null });
  expect([await status(), await status(text)]).toEqual([401, 200]);
  tokens.revoke(stored.id);
  expect([await status(), await status(text)]).toEqual([401, 401]);
  const files = { directory, filesetName: "rootfset" };
  writeFileSync(join(directory, ".intermezzo", files.filesetName, "tokens"), "[]");
  expect(await status(text)).toBe(401);
  await server[Symbol.asyncDispose]();
  await expect(serve({ directory, host: "127.0.0.1", port: 0 })).rejects.toThrow(
    "Cannot use the tokens",
  );
});

test("serve() takes no changes of clients when it is read-only, and logs those made in place", async () => {
  await using server = await serve({ directory, host: "127.0.0.1", port: 0, isReadOnly: true });
  const base = new URL("/v1/filesets/rootfset/", server.url);
  for (const [method, path] of [
    ["POST", "reintegrate"],
    ["POST", "permit"],
    ["PUT", `content/${"ab".repeat(32)}`],
  ] as const) {
    const response = await fetch(new URL(path, base), { method });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: "read-only" });
  }
  const before = server.fileset.headPosition.recno;
  writeFileSync(join(directory, "new"), "new");
  await server.fileset.waitForRecno(before, 10_000);
  expect(server.fileset.headPosition.recno).toBeGreaterThan(before);
});
