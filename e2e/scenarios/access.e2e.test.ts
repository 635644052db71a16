import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
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

test("a token for one directory: a mount refuses all other changes at once, and keeps what waits when its rights shrink [Y13]", async () => {
  await using world = await createWorld();
  const { directory, exportDir } = world;
  for (const name of ["docs", "docs/deep", "other"]) mkdirSync(join(exportDir, name));
  for (const name of ["docs/file", "other/file"]) writeFileSync(join(exportDir, name), "as it was");
  const create = async (...options: string[]): Promise<string> => {
    const access = ["--name", "client1", "--access", "write", ...options];
    return (await izoJson<{ token: string }>(["token", "create", exportDir, ...access])).token;
  };
  const tokenFile = join(directory, "token");
  const use = (token: string): void => writeFileSync(tokenFile, token, { mode: 0o600 });
  use(await create("--path", "/docs"));
  const server = await world.serve("--insecure");
  const options = ["--token-file", tokenFile, "--insecure"];
  const mount = await world.mount("client1", "on-demand", ...options);
  const path = (name: string): string => at(mount, name);

  writeFileSync(path("docs/deep/new"), "made");
  renameSync(path("docs/file"), path("docs/deep/moved"));
  const refused: Record<string, () => unknown> = {
    create: () => writeFileSync(path("new"), "new"),
    append: () => closeSync(openSync(path("other/file"), "a")),
    truncate: () => truncateSync(path("other/file"), 1),
    mkdir: () => mkdirSync(path("made")),
    symlink: () => symlinkSync("file", path("other/symlink")),
    "link out": () => linkSync(path("docs/deep/new"), path("other/link")),
    "link in": () => linkSync(path("other/file"), path("docs/link")),
    "move out": () => renameSync(path("docs/deep/new"), path("new")),
    "move in": () => renameSync(path("other/file"), path("docs/file")),
    "the directory itself": () => chmodSync(path("docs"), 0o700),
    unlink: () => unlinkSync(path("other/file")),
    rmdir: () => rmdirSync(path("other")),
    chmod: () => chmodSync(path("other/file"), 0o600),
    utimes: () => utimesSync(path("other/file"), 1, 2),
  };
  const codes = Object.entries(refused).map(([name, change]) => [name, codeOf(change)]);
  expect(codes).toEqual(Object.keys(refused).map((name) => [name, "EROFS"]));
  await mount.flush();
  expect(readFileSync(join(exportDir, "docs/deep/moved"), "utf8")).toBe("as it was");
  expect(await stateOf(mount)).toMatchObject({
    pending: 0,
    changesBelow: "/docs",
    lastError: null,
  });
  const shown = await tryIzo(["status", mount.mountPoint]);
  expect(shown.stdout).toContain("only what is below /docs");

  // More rights, by another token: at once, without a new mount.
  use(await create());
  await expect.poll(() => codeOf(refused["chmod"]!), GOES_ON).toBeUndefined();
  await mount.flush();

  // Made offline under the wider one; then only the narrow one is left.
  await server.stop();
  await expect.poll(async () => (await stateOf(mount)).state, GOES_ON).toBe("offline");
  writeFileSync(path("other/kept"), "not lost");
  writeFileSync(path("docs/sent"), "sent");
  use(await create("--path", "/docs"));
  await world.serve("--insecure");
  await expect.poll(() => errorOf(mount), GOES_ON).toBe("out-of-scope");
  await expect.poll(() => existsSync(join(exportDir, "docs/sent")), GOES_ON).toBe(true);
  expect(existsSync(join(exportDir, "other/kept"))).toBe(false);
  expect(readFileSync(path("other/kept"), "utf8")).toBe("not lost");
  expect(codeOf(() => writeFileSync(path("other/more"), ""))).toBe("EROFS");
  // A token that allows it lets it go.
  use(await create());
  await mount.flush();
  expect(readFileSync(join(exportDir, "other/kept"), "utf8")).toBe("not lost");
});

/** How a change ends: with the code of its error, or undefined when it is done. */
function codeOf(change: () => unknown): unknown {
  try {
    change();
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}
