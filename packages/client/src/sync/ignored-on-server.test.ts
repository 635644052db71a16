import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { LoopbackServer } from "../testing/loopback-server.ts";
import { SyncHost } from "../testing/sync-host.ts";

let cleanup: AsyncDisposableStack;
let server: LoopbackServer;
let host: SyncHost;

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  server = cleanup.use(await LoopbackServer.start({ ignore: ["build/", "*.tmp"] }));
  host = cleanup.use(await SyncHost.open(server.url));
  host.mkdir("/src");
  await host.write("/src/main.c", "int main;");
  await host.flush();
  mkdirSync(join(server.dir, "src/build"));
  writeFileSync(join(server.dir, "src/build/out"), "built on the server");
  writeFileSync(join(server.dir, "src/a.tmp"), "of the server");
});

afterEach(() => cleanup.disposeAsync());

const onServer = (name: string): string => readFileSync(join(server.dir, name), "utf8");

describe("a client of a server that leaves entries out", () => {
  it("gets a directory back that it has removed, while the server has some in it [K49]", async () => {
    expect(host.list("/src")).toEqual(["main.c"]);
    host.unlink("/src/main.c");
    host.rmdir("/src");
    expect(host.list()).toEqual([]);
    await host.flush();
    await expect.poll(() => host.list()).toEqual(["src"]);
    expect(host.list("/src")).toEqual([]);
    expect(host.replica.refusals()).toMatchObject([{ path: "/src", reason: "not-empty" }]);
    expect(onServer("src/build/out")).toBe("built on the server");
    expect(onServer("src/a.tmp")).toBe("of the server");
    for (const name of ["src/build", "src/a.tmp"]) {
      rmSync(join(server.dir, name), { recursive: true });
    }
    host.rmdir("/src");
    await host.flush();
    expect(host.list()).toEqual([]);
  });

  it("keeps what it makes under such a name, beside it, and goes on writing there [K48]", async () => {
    host.mkdir("/src/build");
    await host.write("/src/build/out", "built here");
    await host.write("/src/a.tmp", "of the client");
    await host.write("/src/b.tmp", "free");
    await host.flush();
    const copies = /^(a|build)\.conflict-/;
    await expect.poll(() => host.list("/src").filter((name) => copies.test(name))).toHaveLength(2);
    const [file, directory] = host.list("/src").filter((name) => copies.test(name));
    expect(await host.read(`/src/${file}`)).toBe("of the client");
    expect(await host.read(`/src/${directory}/out`)).toBe("built here");
    await host.write(`/src/${directory}/more`, "later");
    await host.flush();
    expect(onServer(`src/${directory}/more`)).toBe("later");
    expect(onServer("src/build/out")).toBe("built on the server");
    expect(onServer("src/a.tmp")).toBe("of the server");
    expect(onServer("src/b.tmp")).toBe("free");
  });
});
