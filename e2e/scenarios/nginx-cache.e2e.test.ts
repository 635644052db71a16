import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { startMount } from "../hosts/mount-process.ts";
import { createNetwork } from "../hosts/network.ts";
import { runCommand } from "../hosts/run-command.ts";
import { startServer } from "../hosts/server-process.ts";
import { diffManifests, treeManifest } from "../hosts/tree-manifest.ts";
import { makeWorkDirectory } from "../hosts/work-directory.ts";

const CLIENTS = Number(process.env["IZO_E2E_CACHE_CLIENTS"] ?? 3);

const SMALL_FILES = 200;
const LARGE_FILES = 3;

/** The blocks of the page that tells people how to set this up. */
function configuration(): readonly [site: string, immutable: string] {
  const page = readFileSync(join(import.meta.dirname, "../../docs/how-to/nginx.md"), "utf8");
  const [site, immutable] = Array.from(page.matchAll(/```nginx\n(.*?)```/gs), ([, text]) => text);
  if (site === undefined || immutable === undefined) {
    throw new Error("Cannot find the two configurations in docs/how-to/nginx.md");
  }
  return [site, immutable];
}

/** The whole configuration of an nginx that runs in `directory`, as the page has it but for its places. */
function writeConfiguration(directory: string, listen: string, origin: string): string {
  const [site, immutable] = configuration();
  const shared = join(directory, "immutable.conf");
  writeFileSync(shared, immutable);
  const here = site
    .replaceAll("/var/cache/nginx/izo", join(directory, "cache"))
    .replaceAll("/etc/nginx/izo-immutable.conf", shared)
    .replace("127.0.0.1:8370", origin)
    .replace("listen 443 ssl;", `listen ${listen};`)
    .replaceAll(/ *ssl_certificate.*\n/g, "");
  const log = "$request_method $request_uri $status $upstream_cache_status";
  const file = join(directory, "nginx.conf");
  writeFileSync(
    file,
    `daemon off;
user root;
worker_processes 2;
pid ${directory}/pid;
error_log ${directory}/error.log;
events { worker_connections 1024; }
http {
  log_format told '${log}';
  access_log ${directory}/access.log told;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  ${here}
}
`,
  );
  return file;
}

/** Each request that nginx may cache: how often it came, and how often the server had to answer it. */
function cacheableRequests(accessLog: string): Map<string, { came: number; reached: number }> {
  const counts = new Map<string, { came: number; reached: number }>();
  for (const line of accessLog.split("\n")) {
    const [method, uri = "", status, cache] = line.split(" ");
    if (method !== "GET" || status !== "200" || cache === "-" || cache === undefined) continue;
    const { came, reached } = counts.get(uri) ?? { came: 0, reached: 0 };
    counts.set(uri, { came: came + 1, reached: reached + (cache === "HIT" ? 0 : 1) });
  }
  return counts;
}

test(`${CLIENTS} clients become replicas behind nginx, and the server sends each content once`, async () => {
  using work = makeWorkDirectory();
  await using network = await createNetwork(["server", "cache", "clients"]);
  const [serverHost, cacheHost, clientHost] = [...network.hosts.values()];
  if (!serverHost || !cacheHost || !clientHost) throw new Error("Cannot find the hosts");
  const exported = join(work.path, "export");
  mkdirSync(join(exported, "small"), { recursive: true });
  for (let file = 0; file < SMALL_FILES; file++) {
    writeFileSync(join(exported, "small", String(file)), `content of ${file}\n`);
  }
  for (let file = 0; file < LARGE_FILES; file++) {
    writeFileSync(join(exported, `large-${file}`), randomBytes(1024 * 1024));
  }
  await using server = await startServer({
    host: serverHost,
    directory: exported,
    logFile: join(work.path, "server.log"),
  });

  const directory = join(work.path, "nginx");
  mkdirSync(directory);
  const address = `${cacheHost.address}:8080`;
  const file = writeConfiguration(directory, address, new URL(server.url).host);
  const [program = "", ...args] = cacheHost.inside(["nginx", "-c", file]);
  await using _ = await startNginx(program, args);

  await using mounts = new AsyncDisposableStack();
  const started = Array.from({ length: CLIENTS }, async (__, index) => {
    const own = join(work.path, `client${index}`);
    mkdirSync(own);
    const url = `http://${address}/rootfset`;
    return mounts.use(await startMount({ host: clientHost, url, directory: own, mode: "replica" }));
  });
  const clients = await Promise.all(started);
  const expected = await treeManifest(exported);
  for (const client of clients) {
    expect(diffManifests(expected, await treeManifest(client.mountPoint))).toEqual([]);
  }

  const counts = cacheableRequests(readFileSync(join(directory, "access.log"), "utf8"));
  const all = [...counts.values()];
  const came = all.reduce((sum, each) => sum + each.came, 0);
  const reached = all.reduce((sum, each) => sum + each.reached, 0);
  console.log(
    `${CLIENTS} clients: ${came} requests for contents and packs, ${reached} reached the server`,
  );
  expect([...counts.keys()].filter((uri) => uri.includes("/content/"))).toHaveLength(LARGE_FILES);
  expect([...counts.keys()].some((uri) => uri.includes("/content-pack"))).toBe(true);
  expect([...counts].filter(([, each]) => each.reached !== 1)).toEqual([]);

  // A push, with an upload of its own, and the polls of the others go through it as well.
  const large = randomBytes(300_000);
  writeFileSync(join(clients[0]!.mountPoint, "made here"), large);
  const recno = await clients[0]!.flush();
  for (const client of clients) await client.waitFor(recno);
  expect(readFileSync(join(exported, "made here")).equals(large)).toBe(true);
  const read = await runCommand(["sha256sum", join(clients.at(-1)!.mountPoint, "made here")]);
  expect(read.split(" ")[0]).toBe(
    (await runCommand(["sha256sum", join(exported, "made here")])).split(" ")[0],
  );
});

async function startNginx(program: string, args: readonly string[]): Promise<AsyncDisposable> {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] });
  await once(child, "spawn");
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGQUIT");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}
