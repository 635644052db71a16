import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

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
  await expect(serve({ directory: missing, host: "127.0.0.1", port: 0 })).rejects.toThrow("Cannot");
});
