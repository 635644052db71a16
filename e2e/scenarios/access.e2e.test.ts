import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { createTestAuthority } from "@izo/core/testing";
import { expect, test } from "vitest";

import { izoJson, tryIzo } from "../hosts/cli.ts";
import type { MountProcess } from "../hosts/mount-process.ts";
import { createWorld } from "../hosts/world.ts";

/** Longer than a refused client takes to see another token, or a push that waits to be tried again. */
const GOES_ON = { timeout: 40_000, interval: 200 };

interface AccessState {
  readonly state: string;
  readonly pending: number;
  readonly lastError: { readonly code: string; readonly advice: string } | null;
}

const stateOf = ({ mountPoint }: MountProcess): Promise<AccessState> =>
  izoJson<AccessState>(["status", mountPoint]);

const errorOf = async (mount: MountProcess): Promise<string | undefined> =>
  (await stateOf(mount)).lastError?.code;

const at = (mount: MountProcess, name: string): string => join(mount.mountPoint, name);

/** Every text that others could read: command lines and environments are not ours to keep, but these are. */
function textsAbout(directory: string, secret: string): string[] {
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const commandLines = processes.map((pid) => join("/proc", pid, "cmdline"));
  const files = ["server.log", "client1/cache/mount.log", "client1/cache/settings.json"];
  return [...commandLines, ...files.map((name) => join(directory, name))].filter((file) => {
    try {
      return readFileSync(file, "utf8").includes(secret);
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
}

test("over TLS with tokens: a revoked token stops a client, another one lets it go on, nothing is lost [Y13] [Y14]", async () => {
  await using world = await createWorld();
  const { directory, exportDir, server: host } = world;
  const authority = createTestAuthority();
  const { cert, key } = authority.issue([host.address]);
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  const tls = ["--tls-cert", file("cert.pem", cert), "--tls-key", file("key.pem", key)];
  const create = async (...options: string[]): Promise<string> =>
    (await izoJson<{ token: string }>(["token", "create", exportDir, ...options])).token;
  const first = await create("--name", "client1");
  const other = await create("--name", "client2", "--access", "read");
  writeFileSync(join(exportDir, "note.txt"), "from the server");

  let server = await world.serve(...tls, "--log-level", "info");
  const credentials = (token: string): string[] => [
    "--ca",
    file("ca.pem", authority.cert),
    "--token-file",
    token,
  ];
  const tokenFile = file("token", first);
  const client1 = await world.mount("client1", "on-demand", ...credentials(tokenFile));
  const reading = credentials(file("other", other));
  const client2 = await world.mount("client2", "on-demand", "--read-only", ...reading);

  expect(readFileSync(at(client1, "note.txt"), "utf8")).toBe("from the server");
  writeFileSync(at(client1, "new.txt"), "from a client");
  await client2.waitFor(await client1.flush());
  expect(readFileSync(at(client2, "new.txt"), "utf8")).toBe("from a client");
  expect(() => writeFileSync(at(client2, "mine.txt"), "")).toThrow("EROFS");
  expect(textsAbout(directory, first.slice(-43))).toEqual([]);

  await izoJson(["token", "revoke", exportDir, "client1"]);
  await expect.poll(() => errorOf(client1), GOES_ON).toBe("token-invalid");
  const refused = await stateOf(client1);
  expect(refused.state).toBe("refused");
  expect(refused.lastError?.advice).toContain("put it in the token file");
  writeFileSync(at(client1, "meanwhile.txt"), "without the server");
  const denied = await tryIzo(["status", server.url, "--ca", join(directory, "ca.pem")], {
    prefix: host.inside,
  });
  expect(denied.stderr).toContain("the server requires a token");

  file("token", await create("--name", "client1"));
  await client2.waitFor(await client1.flush());
  expect(readFileSync(at(client2, "meanwhile.txt"), "utf8")).toBe("without the server");

  // A server that takes no changes: they wait on the client, and what it has itself arrives.
  await server.stop();
  server = await world.serve(...tls, "--read-only");
  writeFileSync(at(client1, "held.txt"), "x".repeat(100_000));
  await expect.poll(() => errorOf(client1), GOES_ON).toBe("read-only");
  writeFileSync(join(exportDir, "news.txt"), "from the server");
  await expect.poll(() => readdirSync(client1.mountPoint), GOES_ON).toContain("news.txt");
  expect(await stateOf(client1)).toMatchObject({ pending: 2, lastError: { code: "read-only" } });
  await server.stop();
  await world.serve(...tls);
  await client1.flush();
  expect(readFileSync(join(exportDir, "held.txt"), "utf8")).toHaveLength(100_000);
});
