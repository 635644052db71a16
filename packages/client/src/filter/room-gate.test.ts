import { afterEach, beforeEach, expect, test } from "vitest";

import { LoopbackServer } from "../testing/loopback-server.ts";
import { SyncHost } from "../testing/sync-host.ts";

const ROOM = 6;

let cleanup: AsyncDisposableStack;
let host: SyncHost;

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  const server = cleanup.use(await LoopbackServer.start());
  host = cleanup.use(
    await SyncHost.open(server.url, "on-demand", undefined, { mostPending: ROOM }),
  );
});

afterEach(async () => {
  await cleanup.disposeAsync();
});

test("where no more changes may wait, programs find the disk full until the server has some", async () => {
  host.sync.setForcedOffline(true);
  const held = await host.hold("/held");
  for (let made = host.replica.pendingCount; made < ROOM; made += 1) host.mkdir(`/d${made}`);
  const full = expect.objectContaining({
    code: "ENOSPC",
    message: expect.stringContaining("6 changes wait"),
  });
  expect(() => host.mkdir("/more")).toThrow(full);
  expect(() => host.rmdir("/d1")).toThrow(full);
  await expect(host.write("/new", "")).rejects.toThrow(full);
  // Its content is here, whatever becomes of its record.
  held.write("whole");
  held.close();
  expect(await host.read("/held")).toBe("whole");

  host.sync.setForcedOffline(false);
  await host.flush();
  host.mkdir("/more");
  await host.flush();
});
