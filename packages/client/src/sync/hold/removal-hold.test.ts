import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { LoopbackServer } from "../../testing/loopback-server.ts";
import { PollGate } from "../../testing/poll-gate.ts";
import { SyncHost } from "../../testing/sync-host.ts";
import { RemovalHeldError } from "../sync-error.ts";
import { NothingHeldError } from "./removal-hold.ts";

const SOON = { timeout: 10_000 };
const NAMES = Array.from({ length: 30 }, (_, index) => `file-${index}`);

let cleanup: AsyncDisposableStack;
let server: LoopbackServer;
let host: SyncHost;
let other: SyncHost;

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  server = cleanup.use(await LoopbackServer.start());
  host = cleanup.use(await SyncHost.open(server.url));
  other = cleanup.use(await SyncHost.open(server.url, "replica"));
  // By somebody else: what a mount made itself a moment ago it may remove.
  for (const name of NAMES) await other.write(`/${name}`, `content of ${name}`);
  await other.flush();
  await host.catchUpWith(other);
});

afterEach(async () => {
  await cleanup.disposeAsync();
});

/** Removes files in one go, offline. */
function remove(names: readonly string[]): void {
  host.sync.setForcedOffline(true);
  for (const name of names) host.unlink(`/${name}`);
  host.sync.setForcedOffline(false);
}

/** Everybody has everything, and nothing waits. */
async function settle(): Promise<void> {
  await host.flush();
  await other.catchUpWith(host);
  await host.catchUpWith(other);
  expect(host.replica.pendingCount).toBe(0);
}

async function contentsOf(one: SyncHost, names: string[]): Promise<Record<string, string>> {
  const contents = names.map(async (name) => [name, await one.read(`/d/${name}`)] as const);
  return Object.fromEntries(await Promise.all(contents));
}

const listOf = (one: SyncHost): string[] => one.list().filter((name) => name !== ".intermezzo");

describe("a removal of nearly everything", () => {
  it("waits for a person, and nothing else does", async () => {
    remove(NAMES);
    await host.write("/new", "made afterwards");
    await expect(host.sync.flush(AbortSignal.timeout(10_000))).rejects.toThrow(RemovalHeldError);
    expect(host.sync.status().heldRemoval).toMatchObject({ removed: 30 });
    expect(host.sync.status().waitsFor).toMatchObject([
      { reason: "held", opcode: "UNLINK", path: "/file-0" },
    ]);
    expect(host.sync.status().heldRemoval?.paths).toContain("/file-0");
    await other.catchUpWith(host);
    expect(listOf(other)).toEqual([...NAMES, "new"].toSorted());
    expect(listOf(host)).toEqual(["new"]);
  });

  it("takes effect for everybody once it is confirmed", async () => {
    remove(NAMES);
    expect(host.sync.confirmRemoval()).toMatchObject({ removed: 30, names: 30 });
    await host.flush();
    await other.catchUpWith(host);
    expect(listOf(other)).toEqual([]);
    expect(host.sync.heldRemoval()).toBeNull();
    expect(() => host.sync.confirmRemoval()).toThrow(NothingHeldError);
  });

  it("is undone when it is dropped, and what was done besides stays", async () => {
    remove(NAMES);
    await host.write("/file-1", "made anew");
    host.sync.dropRemoval();
    await host.flush();
    await other.catchUpWith(host);
    await host.catchUpWith(other);
    for (const one of [host, other]) {
      expect(await one.read("/file-0")).toBe("content of file-0");
      expect(await one.read("/file-1")).toBe("made anew");
      expect(listOf(one)).toEqual(NAMES.toSorted());
    }
    expect(host.sync.heldRemoval()).toBeNull();
  });

  it("is held by the next process as well", async () => {
    remove(NAMES);
    await host.stop();
    await host.start(server.url);
    await expect(host.sync.flush(AbortSignal.timeout(10_000))).rejects.toThrow(RemovalHeldError);
    host.sync.dropRemoval();
    await host.flush();
    expect(listOf(host)).toEqual(NAMES.toSorted());
  });

  it("is none where the same names are there again", async () => {
    host.sync.setForcedOffline(true);
    for (const name of NAMES) {
      host.unlink(`/${name}`);
      await host.write(`/${name}`, "built again");
    }
    host.sync.setForcedOffline(false);
    await host.flush();
    await other.catchUpWith(host);
    expect(await other.read("/file-7")).toBe("built again");
  });

  it("is none where something is left", async () => {
    remove(NAMES.slice(0, 20));
    await host.flush();
    await other.catchUpWith(host);
    expect(listOf(other)).toEqual(NAMES.slice(20).toSorted());
  });
});

it("a mount removes what it made itself a moment ago, however much that is", async () => {
  const made = Array.from({ length: 60 }, (_, index) => `/build/${index}`);
  for (const name of NAMES.slice(1)) other.unlink(`/${name}`);
  await other.flush();
  await host.catchUpWith(other);
  host.mkdir("/build");
  for (const path of made) await host.write(path, "built");
  await host.flush();
  for (const path of made) host.unlink(path);
  host.rmdir("/build");
  await host.flush();
  await other.catchUpWith(host);
  expect(listOf(other)).toEqual(["file-0"]);
  expect(host.errors).toEqual([]);
});

it("a server that holds nothing is sent everything", async () => {
  await using lenient = await LoopbackServer.start({ heldRemovalPercent: 100 });
  await using one = await SyncHost.open(lenient.url);
  await using two = await SyncHost.open(lenient.url);
  for (const name of NAMES) await two.write(`/${name}`, "x");
  await two.flush();
  await one.catchUpWith(two);
  for (const name of NAMES) one.unlink(`/${name}`);
  await one.flush();
  expect(one.errors).toEqual([]);
});

/** What depends on the removal waits with it, and nothing else does; others go on in what is held. */
async function expectHeld(): Promise<void> {
  await expect(host.flush()).rejects.toMatchObject({ cause: expect.any(RemovalHeldError) });
  await other.catchUpWith(host);
  expect(await other.read("/beside")).toBe("beside");
  expect(await other.read("/d/both")).toBe("old /d/both");
  expect(host.list("/d")).toEqual(["both"]);
  await other.write("/d/edited", "edited meanwhile");
  await other.write("/d/added", "added meanwhile");
  await other.flush();
  await host.catchUpWith(other);
}

describe("a directory of which nearly everything is removed, and that is made again", () => {
  const OLD = Array.from({ length: 400 }, (_, index) => `/d/old-${index}`);

  beforeEach(async () => {
    other.mkdir("/d");
    for (const path of [...OLD, "/d/both", "/d/edited"]) await other.write(path, `old ${path}`);
    await other.flush();
    await host.catchUpWith(other);
    host.sync.setForcedOffline(true);
    for (const path of [...OLD, "/d/both", "/d/edited"]) host.unlink(path);
    host.rmdir("/d");
    host.mkdir("/d");
    await host.write("/d/both", "new");
    await host.write("/beside", "beside");
    host.sync.setForcedOffline(false);
  });

  const made = { added: "added meanwhile", both: "new", edited: "edited meanwhile" };

  it("is the new one once the removal is confirmed, with what others did meanwhile [P3]", async () => {
    await expectHeld();
    host.sync.confirmRemoval();
    await settle();
    for (const one of [host, other]) {
      expect(one.list("/d")).toEqual(Object.keys(made));
      expect(await contentsOf(one, Object.keys(made))).toEqual(made);
    }
  });

  it("is both once the removal is taken back [P3]", async () => {
    await expectHeld();
    host.sync.dropRemoval();
    await settle();
    const names = [...OLD.map((path) => path.slice("/d/".length)), ...Object.keys(made)];
    for (const one of [host, other]) {
      expect(one.list("/d")).toEqual(names.toSorted());
      expect(await contentsOf(one, Object.keys(made))).toEqual(made);
    }
  });
});

const isRefused = (error: unknown): boolean => (error as { code: unknown }).code === "mass-removal";

/** What all hosts show when nothing waits any more. */
async function settledNames(): Promise<string[]> {
  await settle();
  expect(listOf(host)).toEqual(listOf(other));
  expect(host.sync.heldRemoval()).toBeNull();
  expect(host.sync.status().lastError).toBeNull();
  return listOf(other);
}

/**
 * A removal that looks small to its author, who has not learnt what others have removed: the server
 * alone sees that it leaves next to nothing.
 */
describe("a removal of nearly everything of which only the server knows", () => {
  const MORE = Array.from({ length: 30 }, (_, index) => `more-${index}`);
  const REMOVED = NAMES.slice(0, 28);
  const LEFT = NAMES.slice(28);
  const isHeld = expect.any(RemovalHeldError);
  let gate: PollGate;
  let peer: string;

  beforeEach(async () => {
    gate = cleanup.use(await PollGate.open(() => server.port));
    for (const name of MORE) await other.write(`/${name}`, `content of ${name}`);
    await other.flush();
    await host.stop();
    await host.start(gate.url);
    await host.catchUpWith(other);
    // Only then it pushes.
    await vi.waitUntil(() => host.sync.status().lagMs === 0, SOON);
    ({ peer } = host.replica);
    gate.shut();
    for (const name of MORE) other.unlink(`/${name}`);
    await other.flush();
    for (const name of REMOVED) host.unlink(`/${name}`);
    await host.write("/new", "made afterwards");
    await vi.waitUntil(() => host.errors.some(isRefused), SOON);
  });

  it("waits for a person, and nothing else does [P3]", async () => {
    gate.letThrough();
    await expect(host.flush()).rejects.toMatchObject({ cause: isHeld });
    expect(host.sync.status().heldRemoval).toMatchObject({ removed: 28, names: 31 });
    expect(host.sync.status().lastError).toBeNull();
    expect(host.replica.peer).not.toBe(peer);
    await other.catchUpWith(host);
    expect(listOf(other)).toEqual([...NAMES, "new"].toSorted());
    expect(listOf(host)).toEqual([...LEFT, "new"].toSorted());
    host.sync.confirmRemoval();
    expect(await settledNames()).toEqual([...LEFT, "new"].toSorted());
  });

  it("is undone when it is dropped", async () => {
    gate.letThrough();
    await expect(host.flush()).rejects.toMatchObject({ cause: isHeld });
    host.sync.dropRemoval();
    expect(await settledNames()).toEqual([...NAMES, "new"].toSorted());
  });

  it("is held by a process that begins where the one that was refused ended [P1]", async () => {
    const renew = vi.spyOn(host.replica, "renewIdentity");
    renew.mockRejectedValue(new Error("killed"));
    gate.letThrough();
    await expect.poll(() => renew.mock.calls.length, SOON).toBeGreaterThan(0);
    await host.stop();
    await host.start(gate.url);
    expect(host.replica.peer).toBe(peer);
    await expect(host.flush()).rejects.toMatchObject({ cause: isHeld });
    host.sync.confirmRemoval();
    expect(await settledNames()).toEqual([...LEFT, "new"].toSorted());
  });

  it("is held by the next process as well, and one that ends after a confirmation has sent all or asks again", async () => {
    gate.letThrough();
    await expect(host.flush()).rejects.toMatchObject({ cause: isHeld });
    await host.stop();
    await host.start(gate.url);
    await expect(host.flush()).rejects.toMatchObject({ cause: isHeld });
    host.sync.confirmRemoval();
    await host.stop();
    await host.start(gate.url);
    await host.flush().catch(() => host.sync.confirmRemoval());
    expect(await settledNames()).toEqual([...LEFT, "new"].toSorted());
  });
});
