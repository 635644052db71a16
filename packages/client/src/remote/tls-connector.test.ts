import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { HEADERS, PROTOCOL_VERSION } from "@izo/core";
import { createTestAuthority } from "@izo/core/testing";
import { expect, test } from "vitest";

import { HttpRemote } from "./http-remote.ts";

test("HttpRemote speaks HTTP/1.1 with a proxy that would rather have HTTP/2", async () => {
  const authority = createTestAuthority();
  const directory = mkdtempSync(join(tmpdir(), "izo-tls-"));
  const caFile = join(directory, "ca.pem");
  writeFileSync(caFile, authority.cert);
  const versions: string[] = [];
  const options = { ...authority.issue(["127.0.0.1"]), allowHTTP1: true };
  const server = createSecureServer(options, (request, response) => {
    versions.push(request.httpVersion);
    response.setHeader(HEADERS.protocol, String(PROTOCOL_VERSION));
    response.end("a text");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const remote = new HttpRemote(`https://127.0.0.1:${port}/rootfset`, { credentials: { caFile } });

  const text = await remote.metrics();

  await remote[Symbol.asyncDispose]();
  server.close();
  rmSync(directory, { recursive: true });
  expect([text, versions]).toEqual(["a text", ["1.1"]]);
});
