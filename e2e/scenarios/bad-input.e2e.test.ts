import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { tryIzo } from "../hosts/cli.ts";
import type { MountProcess } from "../hosts/mount-process.ts";
import { runCommand, tryCommand } from "../hosts/run-command.ts";
import type { ServerProcess } from "../hosts/server-process.ts";
import { createWorld, type World } from "../hosts/world.ts";

/** What a command that must fail says; the status and the code of its error. */
async function failureOf(world: World, args: readonly string[], prefix: readonly string[] = []) {
  const inside = (command: readonly string[]) => world.client1.inside([...prefix, ...command]);
  const { status, stderr } = await tryIzo([...args, "--json"], { prefix: inside });
  const line = stderr.trimEnd().split("\n").at(-1) ?? "";
  const { error } = JSON.parse(line) as { error: { code: string; message: string; hint?: string } };
  expect(error.message).toMatch(/^Cannot /);
  return { status, code: error.code, message: error.message };
}

/** The HTTP status of a path of the server, sent as it is: `fetch` would tidy it up. */
function statusOf(world: World, path: string): Promise<string> {
  const { address } = world.server;
  const program = `
    import { request } from "node:http";
    request({ host: "${address}", port: 8370, path: process.argv[1] },
      (response) => { console.log(response.resume().statusCode); }).end();`;
  const command = [process.execPath, "--input-type=module", "-e", program, path];
  return runCommand(world.client1.inside(command));
}

describe("bad input gets a clear error, and nothing is lost", () => {
  let world: World;
  let server: ServerProcess;
  let mount: MountProcess;

  beforeAll(async () => {
    world = await createWorld();
    writeFileSync(join(world.exportDir, "file"), "content");
    server = await world.serve();
    mount = await world.mount("client1", "on-demand");
  });

  afterAll(() => world[Symbol.asyncDispose]());

  function at(...names: string[]): string {
    return join(world.directory, ...names);
  }

  function mountFailure(mountPoint: string, cache: string) {
    return failureOf(world, ["mount", server.url, mountPoint, "--cache", cache]);
  }

  test("exports that cannot be served", async () => {
    const missing = await failureOf(world, ["serve", at("missing")]);
    expect(missing).toMatchObject({ status: 1, message: expect.stringContaining(at("missing")) });
    const file = await failureOf(world, ["serve", at("export/file")]);
    expect(file).toMatchObject({ status: 1, message: expect.stringContaining("directory") });

    mkdirSync(at("locked"));
    chmodSync(at("locked"), 0o000);
    // Root reads everything, unless it has given that right away.
    const withoutRights = [
      "setpriv",
      "--bounding-set",
      "-dac_override,-dac_read_search",
      "--inh-caps",
      "-all",
      "--",
    ];
    const unreadable = await failureOf(world, ["serve", at("locked")], withoutRights);
    expect(unreadable).toMatchObject({ status: 1, message: expect.stringContaining(at("locked")) });

    expect(
      await failureOf(world, ["serve", world.exportDir, "--listen", "127.0.0.1:0"]),
    ).toMatchObject({
      status: 4,
      code: "already-served",
    });
  });

  test("a port in use, an address of another machine", async () => {
    mkdirSync(at("other"));
    const inUse = await tryIzo(
      ["serve", at("other"), "--listen", `${world.server.address}:8370`, "--insecure", "--json"],
      {
        prefix: world.server.inside,
      },
    );
    expect(inUse.status).toBe(1);
    expect(inUse.stderr).toContain("EADDRINUSE");
    expect(readdirSync(at("other"))).toEqual([]);
    const elsewhere = ["serve", at("other"), "--listen", "203.0.113.1:80"];
    expect(await failureOf(world, elsewhere)).toMatchObject({ code: "exposed-server" });
    expect(await failureOf(world, [...elsewhere, "--insecure"])).toMatchObject({
      code: "EADDRNOTAVAIL",
    });
  });

  test("URLs that lead nowhere", async () => {
    mkdirSync(at("mnt"));
    const mountAt = (url: string) =>
      failureOf(world, ["mount", url, at("mnt"), "--cache", at("cache")]);
    const { address } = world.server;
    expect(await mountAt(`http://${address}:1/rootfset`)).toMatchObject({
      status: 3,
      code: "unreachable",
    });
    expect(await mountAt(`http://${address}:8370/nosuch`)).toMatchObject({
      status: 1,
      code: "unknown-fileset",
    });
    expect(await mountAt("nowhere")).toMatchObject({ status: 2, code: "invalid-url" });
    expect(readdirSync(at("mnt"))).toEqual([]);
  });

  test("a server of another protocol version", async () => {
    const speak2 = `
      require("node:http").createServer((request, response) => {
        const body = { type: "urn:izo:problem:protocol-version", title: "", status: 400, code: "protocol-version",
          detail: "Cannot speak protocol 1: this server speaks 2", data: {} };
        response.writeHead(400, { "content-type": "application/problem+json", "izo-protocol": "2" });
        response.end(JSON.stringify(body));
      }).listen(9999, "${world.server.address}", () => console.log("listening"));
      setTimeout(() => process.exit(), 8000);`;
    const other = tryCommand(world.server.inside([process.execPath, "-e", speak2]));
    mkdirSync(at("mnt2"));
    const url = `http://${world.server.address}:9999/rootfset`;
    let failure = await failureOf(world, ["mount", url, at("mnt2"), "--cache", at("cache2")]);
    // It may not listen yet.
    while (failure.code === "unreachable") {
      failure = await failureOf(world, ["mount", url, at("mnt2"), "--cache", at("cache2")]);
    }
    expect(failure.code).toBe("protocol-version");
    expect(failure.message).toContain("2");
    await other;
  });

  test("mount points and caches that belong to others", async () => {
    mkdirSync(at("full/of"), { recursive: true });
    expect(await mountFailure(at("full"), at("c"))).toMatchObject({
      code: "mount-point-not-empty",
    });
    expect(await mountFailure(at("absent"), at("c"))).toMatchObject({
      code: "mount-point-missing",
    });
    expect(await mountFailure(mount.mountPoint, at("c"))).toMatchObject({
      status: 4,
      code: "mount-point-in-use",
    });
    mkdirSync(at("mnt3"));
    expect(await mountFailure(at("mnt3"), mount.cacheDir)).toMatchObject({
      status: 4,
      code: "cache-in-use",
    });
    expect(readFileSync(join(mount.mountPoint, "file"), "utf8")).toBe("content");
  });

  test("names and paths that cannot be", async () => {
    const long = join(mount.mountPoint, "n".repeat(256));
    expect(() => writeFileSync(long, "")).toThrow("ENAMETOOLONG");
    // Names are bytes: what is no UTF-8 is a name like any other.
    const noUtf8 = Buffer.from([...Buffer.from("no"), 0xff]);
    writeFileSync(Buffer.concat([Buffer.from(`${mount.mountPoint}/`), noUtf8]), "bytes");
    await mount.flush();
    expect(readFileSync(Buffer.concat([Buffer.from(`${world.exportDir}/`), noUtf8]), "utf8")).toBe(
      "bytes",
    );
    const files = "/v1/filesets/rootfset/files";
    expect(await statusOf(world, `${files}/file`)).toBe("200\n");
    for (const path of ["%2e%2e/%2e%2e/etc/passwd", "a%00b", "n".repeat(256)]) {
      expect(await statusOf(world, `${files}/${path}`)).toMatch(/^40[04]\n$/);
    }
    expect(await statusOf(world, `${files}/%2eintermezzo/rootfset/sysid`)).toBe("404\n");
  });

  test("an upload with a wrong hash", async () => {
    const sha256 = "0".repeat(64);
    const program = `
      const response = await fetch("http://${world.server.address}:8370/v1/filesets/rootfset/content/${sha256}",
        { method: "PUT", body: "other bytes", headers: { "Izo-Protocol": "1" } });
      console.log(response.status, (await response.json()).code);`;
    const said = await runCommand(
      world.client1.inside([process.execPath, "--input-type=module", "-e", program]),
    );
    expect(said).toBe("422 wrong-hash\n");
  });
});
