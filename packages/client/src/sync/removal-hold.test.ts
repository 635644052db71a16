import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { LoopbackServer } from "../testing/loopback-server.ts";
import { SyncHost } from "../testing/sync-host.ts";
import { NothingHeldError } from "./removal-hold.ts";
import { RemovalHeldError } from "./sync-error.ts";

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
  for (const name of NAMES) await host.write(`/${name}`, `content of ${name}`);
  await host.flush();
  await other.catchUpWith(host);
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

const listOf = (one: SyncHost): string[] => one.list().filter((name) => name !== ".intermezzo");

describe("a removal of nearly everything", () => {
  it("waits for a person, and nothing else does", async () => {
    remove(NAMES);
    await host.write("/new", "made afterwards");
    await expect(host.sync.flush(AbortSignal.timeout(10_000))).rejects.toThrow(RemovalHeldError);
    expect(host.sync.status().heldRemoval).toMatchObject({ removed: 30, isSent: false });
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
