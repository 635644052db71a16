import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { openIndex } from "../db/open-index.ts";
import { StandingTable } from "../db/standing.ts";
import { CuttingProxy } from "../testing/cutting-proxy.ts";
import { LoopbackServer } from "../testing/loopback-server.ts";
import { SyncHost } from "../testing/sync-host.ts";
import type { SyncMode } from "./sync-status.ts";

let server: LoopbackServer;
let cleanup: AsyncDisposableStack;

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  server = cleanup.use(await LoopbackServer.start());
});

afterEach(async () => {
  await cleanup.disposeAsync();
});

async function open(mode?: SyncMode, url = server.url, cacheDir?: string): Promise<SyncHost> {
  return cleanup.use(await SyncHost.open(url, mode, cacheDir));
}

async function openProxy(): Promise<CuttingProxy> {
  return cleanup.use(await CuttingProxy.open(() => server.port));
}

const exported = (path: string): string => readFileSync(join(server.dir, path), "utf8");

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Names in the export that users see. */
const exportedNames = (): string[] =>
  readdirSync(server.dir)
    .filter((name) => name !== ".intermezzo")
    .toSorted();

test("InterSync shows the server's tree to a new client", async () => {
  const a = await open();
  await a.write("/hello", "world");
  await a.flush();
  expect(exported("hello")).toBe("world");
  const b = await open();
  expect(b.list()).toEqual(["hello"]);
  expect(await b.read("/hello")).toBe("world");
});

test("[C6] InterSync makes a received tree durable before it counts", async () => {
  const a = await open();
  const directory = mkdtempSync(join(tmpdir(), "izo-cut-"));
  cleanup.defer(() => rmSync(directory, { recursive: true }));
  // SQLite syncs at checkpoints: a power cut takes what is in the write-ahead log only.
  cpSync(join(a.cacheDir, "index.sqlite"), join(directory, "index.sqlite"));
  const index = openIndex(join(directory, "index.sqlite"));
  cleanup.defer(() => void index.sqlite.close());
  expect(new StandingTable(index).read(a.replica.peer)?.position).toEqual(a.replica.position);
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

test("[P1] InterSync takes effect once when the replies to its pushes are lost", async () => {
  const proxy = await openProxy();
  const a = await open("on-demand", proxy.url);
  proxy.swallowReplies("POST ", 3);
  for (const name of ["a", "b", "c"]) await a.write(`/${name}`, name);
  a.rename("/c", "/d");
  await a.flush();
  // How many there were to lose depends on how the records came together.
  expect(proxy.left).toBeLessThan(3);
  expect(exportedNames()).toEqual(["a", "b", "d"]);
  const b = await open();
  expect(b.list()).toEqual(["a", "b", "d"]);
  expect(b.replica.position.recno).toBe(a.replica.position.recno);
});

test("[C8] InterSync reintegrates what was done offline, also by a process that is gone", async () => {
  const proxy = await openProxy();
  const a = await open("on-demand", proxy.url);
  await a.write("/kept", "before");
  await a.flush();
  proxy.setDown(true);
  await vi.waitFor(() => expect(a.sync.status().state).toBe("offline"));
  await a.write("/kept", "after");
  await a.write("/new", "made offline");
  await a.write("/new", "made offline");
  await a.write("/gone", "removed before anybody saw it");
  await vi.waitFor(() => expect(a.replica.unsealed()).toEqual([]));
  a.unlink("/gone");
  expect(await a.read("/kept")).toBe("after");
  // Of each file what it has now, however often it was written.
  expect(a.sync.status().pendingBytes).toBe("after".length + "made offline".length);
  await a.stop();
  proxy.setDown(false);
  await a.start(proxy.url);
  await a.flush();
  expect(exported("kept")).toBe("after");
  expect(exported("new")).toBe("made offline");
});

test("[Y7] InterSync loses nothing that was written to files whose removal the log has forgotten", async () => {
  const proxy = await openProxy();
  const [a, b] = [await open(), await open("on-demand", proxy.url)];
  for (const name of ["edited", "open"]) await a.write(`/${name}`, "before");
  await a.flush();
  await b.catchUpWith(a);
  // It is in the log before its author knows.
  proxy.swallowReplies("POST ", 1);
  await b.write("/sent", "first");
  await expect.poll(exportedNames, { timeout: 10_000 }).toContain("sent");
  proxy.setDown(true);
  const finish = await b.overwrite("/open");
  for (const name of ["edited", "sent"]) await b.write(`/${name}`, `${name} away`);
  await expect.poll(() => a.list(), { timeout: 10_000 }).toContain("sent");
  for (const name of ["edited", "open", "sent"]) a.unlink(`/${name}`);
  await a.flush();
  await server.cutLog();
  expect(b.list()).toEqual(["edited", "open", "sent"]);

  proxy.setDown(false);
  b.sync.retryNow();
  await b.flush();
  finish("open away");
  await b.flush();
  await a.catchUpWith(b);
  expect(exportedNames().map(exported)).toEqual(
    expect.arrayContaining(["edited away", "open away", "sent away"]),
  );
  expect(a.list()).toEqual(b.list());
  expect(a.list()).toEqual(exportedNames());
});

test("[D9] InterSync sends no content while a program overwrites it, nor what was saved with it", async () => {
  const proxy = await openProxy();
  const a = await open("on-demand", proxy.url);
  await a.write("/saved", "old");
  await a.flush();
  proxy.setDown(true);
  await vi.waitFor(() => expect(a.sync.status().state).toBe("offline"));
  await a.write("/new", "first");
  await a.write("/temporary", "first");
  a.rename("/temporary", "/saved");
  await vi.waitFor(() => expect(a.replica.unsealed()).toEqual([]));
  // From here to the end of the write the bytes of what was sealed are nowhere.
  const overwrites = [await a.overwrite("/new"), await a.overwrite("/saved")];
  proxy.setDown(false);
  a.sync.retryNow();
  await vi.waitFor(() => expect(exportedNames()).toContain("new"), { timeout: 5_000 });
  expect(exported("saved")).toBe("old");
  for (const end of overwrites) end("second");
  await a.flush();
  expect(exportedNames()).toEqual(["new", "saved"]);
  expect([exported("new"), exported("saved")]).toEqual(["second", "second"]);
});

test("[C8] InterSync tells that the server is lost, and when it is back", async () => {
  const proxy = await openProxy();
  const a = await open("on-demand", proxy.url);
  expect(a.sync.isServerLost).toBe(false);
  proxy.setDown(true);
  await vi.waitFor(() => expect(a.sync.isServerLost).toBe(true), { timeout: 5_000 });
  proxy.setDown(false);
  await a.flush();
  await vi.waitFor(() => expect(a.sync.isServerLost).toBe(false), { timeout: 5_000 });
});

test("[Y11] InterSync stays connected when the cache cannot show a change, and shows it later", async () => {
  const [a, b] = [await open(), await open()];
  expect(b.list()).toEqual([]);
  const full = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  const refusing = vi.spyOn(b.cache, "apply").mockImplementation(() => {
    throw full;
  });
  await a.write("/one", "1");
  await a.flush();
  await vi.waitFor(() => expect(refusing.mock.calls.length).toBeGreaterThan(1), { timeout: 5_000 });
  const { lastError, state } = b.sync.status();
  expect(lastError).toMatchObject({ code: "ENOSPC", advice: expect.stringMatching(/^Make room/) });
  expect(state).toBe("polling");
  const early = b.sync.waitFor(a.replica.position.recno, AbortSignal.timeout(50));
  await expect(early).rejects.toThrow("aborted due to timeout");
  refusing.mockRestore();
  await b.catchUpWith(a);
  expect(b.list()).toEqual(["one"]);
  expect(b.sync.status().lastError).toBeNull();
});

test("InterSync goes on when the server was killed and comes back", async () => {
  const a = await open();
  await a.write("/one", "1");
  await a.flush();
  await server.kill();
  await a.write("/two", "2");
  await vi.waitFor(() => expect(a.sync.status().state).toBe("offline"));
  await server.start();
  await a.flush();
  expect(exportedNames()).toEqual(["one", "two"]);
});

test("InterSync keeps both contents when two clients edit one file", async () => {
  const proxy = await openProxy();
  const [a, b] = [await open(), await open("on-demand", proxy.url)];
  await a.write("/file", "base");
  await a.flush();
  await b.catchUpWith(a);
  expect(await b.read("/file")).toBe("base");
  proxy.setDown(true);
  await a.write("/file", "from a");
  await b.write("/file", "from b");
  await a.flush();
  proxy.setDown(false);
  await b.flush();
  await a.catchUpWith(b);
  for (const host of [a, b]) {
    const names = host.list();
    expect(names).toHaveLength(2);
    const contents = await Promise.all(names.map((name) => host.read(`/${name}`)));
    expect(contents.toSorted()).toEqual(["from a", "from b"]);
    expect(await host.read("/file")).toBe("from a");
  }
});

test("InterSync sends contents that are too large for a push", async () => {
  const a = await open();
  const bytes = randomBytes(8 * 1024 * 1024);
  await a.write("/large", bytes);
  await a.write("/small", "s");
  await a.flush();
  expect(digest(readFileSync(join(server.dir, "large")))).toBe(digest(bytes));
  expect(exported("small")).toBe("s");
});

test("[D9] InterSync sends a large content of one file, where another file has lost the same before it was sent", async () => {
  const proxy = await openProxy();
  const a = await open("on-demand", proxy.url);
  proxy.setDown(true);
  await vi.waitFor(() => expect(a.sync.status().state).toBe("offline"));
  // As databases make the segments of their logs: each is zeros first, and gets its name then.
  const zeros = Buffer.alloc(128 * 1024);
  const filled = randomBytes(zeros.length);
  for (const name of ["first", "second"]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await a.write("/temporary", zeros);
    a.rename("/temporary", `/${name}`);
  }
  await vi.waitFor(() => expect(a.replica.unsealed()).toEqual([]));
  await a.write("/first", filled);
  await vi.waitFor(() => expect(a.replica.unsealed()).toEqual([]));
  proxy.setDown(false);
  a.sync.retryNow();
  await a.flush();
  expect(digest(readFileSync(join(server.dir, "first")))).toBe(digest(filled));
  expect(digest(readFileSync(join(server.dir, "second")))).toBe(digest(zeros));
});

test("InterSync has every content in replica mode without being asked", async () => {
  const [a, b] = [await open(), await open("replica")];
  for (let index = 0; index < 20; index += 1) await a.write(`/file-${index}`, `content ${index}`);
  await a.write("/large", "x".repeat(200_000));
  await a.flush();
  await b.catchUpWith(a);
  await vi.waitFor(() => expect(b.sync.status().isComplete).toBe(true), { timeout: 5_000 });
  await server.kill();
  expect(await b.read("/file-7")).toBe("content 7");
  expect(await b.read("/large")).toHaveLength(200_000);
});

test("[P2] InterSync takes a new id when a copy of its cache is in use, and both keep their changes", async () => {
  const a = await open();
  await a.write("/shared", "s");
  await a.flush();
  await a.stop();
  const copy = mkdtempSync(join(tmpdir(), "izo-clone-"));
  execFileSync("cp", ["-a", `${a.cacheDir}/.`, copy]);
  await a.start(server.url);
  await a.write("/of-a", "a");
  await a.flush();
  const clone = await open("on-demand", server.url, copy);
  await clone.write("/of-clone", "c");
  await clone.flush();
  await a.write("/of-a-too", "a2");
  await a.flush();
  expect(exportedNames()).toEqual(["of-a", "of-a-too", "of-clone", "shared"]);
  expect(clone.replica.peer).not.toBe(a.replica.peer);
});

/** Stops the server, puts it back as it was at a backup, and starts it again. */
async function restoreServer(backup: string): Promise<void> {
  await server.kill();
  for (const name of readdirSync(server.dir)) rmSync(join(server.dir, name), { recursive: true });
  cpSync(backup, server.dir, { recursive: true, preserveTimestamps: true });
  await server.start();
}

async function backUpServer(): Promise<string> {
  await server.kill();
  const backup = mkdtempSync(join(tmpdir(), "izo-backup-"));
  cleanup.defer(() => rmSync(backup, { recursive: true, force: true }));
  cpSync(server.dir, backup, { recursive: true, preserveTimestamps: true });
  await server.start();
  return backup;
}

/** Each server is a process, and each restart one more. */
const RESTARTS_MS = 60_000;

/** Waits for a state, and not for the time of the next attempt to connect. */
async function untilState(host: SyncHost, states: readonly string[]): Promise<void> {
  await vi.waitFor(
    () => {
      host.sync.retryNow();
      expect(states).toContain(host.sync.status().state);
    },
    { timeout: RESTARTS_MS / 2, interval: 50 },
  );
}

const untilDiverged = (host: SyncHost) => untilState(host, ["diverged"]);

test(
  "[P2] InterSync stops at a server that was restored from a backup, and brings back what it lost when told to",
  async () => {
    const a = await open();
    await a.write("/old", "old");
    await a.flush();
    const backup = await backUpServer();
    await a.write("/lost", "lost");
    await a.flush();
    await restoreServer(backup);
    await untilDiverged(a);
    await a.write("/waiting", "w");

    const signal = AbortSignal.timeout(10_000);
    await expect(a.sync.flush(signal)).rejects.toMatchObject({ code: "log-diverged" });
    expect(a.sync.status().lastError?.advice).toContain("izo salvage");
    expect(exportedNames()).toEqual(["old"]);
    const plan = await a.sync.planSalvage(signal);
    expect(plan.changes).toEqual([
      { opcode: "CREATE", path: "/lost" },
      { opcode: "CLOSE", path: "/lost" },
    ]);
    expect(plan).toMatchObject({ absent: [], replayedRecno: a.replica.position.recno });
    expect(plan.pending).toBeGreaterThan(0);
    expect(plan.commonRecno).toBeLessThan(plan.replayedRecno);

    await a.sync.salvage(signal);
    await a.flush();
    expect(exportedNames()).toEqual(["lost", "old", "waiting"]);
    expect(exported("lost")).toBe("lost");
    expect(exported("waiting")).toBe("w");
    await expect(a.sync.salvage(signal)).rejects.toMatchObject({ code: "not-diverged" });
  },
  RESTARTS_MS,
);

test(
  "[P2] InterSync finds a restored server that has grown since, and names what only others have",
  async () => {
    const [a, b] = [await open(), await open("replica")];
    await a.write("/old", "old");
    await a.flush();
    await b.catchUpWith(a);
    const backup = await backUpServer();
    for (const name of ["/one", "/two", "/three"]) await a.write(name, name);
    await a.flush();
    await b.catchUpWith(a);
    await b.write("/of-b", "b");
    await b.flush();
    await a.catchUpWith(b);
    for (let file = 0; file < 20; file += 1) writeFileSync(join(backup, `grown-${file}`), "grown");
    await restoreServer(backup);
    await untilDiverged(a);
    await untilDiverged(b);
    const signal = AbortSignal.timeout(10_000);
    expect((await a.sync.planSalvage(signal)).absent).toEqual(["/of-b"]);
    for (const host of [a, b]) {
      await host.sync.salvage(signal);
      await host.flush();
    }
    const others = exportedNames().filter((name) => !name.startsWith("grown"));
    expect(others).toEqual(["of-b", "old", "one", "three", "two"]);
    expect(exported("of-b")).toBe("b");
  },
  RESTARTS_MS,
);

test(
  "[P2] InterSync goes on by itself when the server has the lost log again",
  async () => {
    const a = await open();
    await a.write("/old", "old");
    await a.flush();
    const early = await backUpServer();
    await a.write("/new", "new");
    await a.flush();
    const late = await backUpServer();
    await restoreServer(early);
    await untilDiverged(a);
    await a.write("/waiting", "w");
    await restoreServer(late);
    await untilState(a, ["polling", "pushing"]);
    await a.flush();
    expect(exportedNames()).toEqual(["new", "old", "waiting"]);
  },
  RESTARTS_MS,
);
