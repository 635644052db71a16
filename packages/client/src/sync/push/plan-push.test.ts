import { afterEach, beforeEach, expect, it } from "vitest";

import { LoopbackServer } from "../../testing/loopback-server.ts";
import { SyncHost } from "../../testing/sync-host.ts";

let cleanup: AsyncDisposableStack;
let host: SyncHost;
let other: SyncHost;

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  const server = cleanup.use(
    await LoopbackServer.start({ conflictPolicies: [{ path: "*.lock", policy: "theirs" }] }),
  );
  host = cleanup.use(await SyncHost.open(server.url, "replica"));
  other = cleanup.use(await SyncHost.open(server.url));
});

afterEach(async () => {
  await cleanup.disposeAsync();
});

it("planPush() says what becomes of each change before it is sent, and sends nothing", async () => {
  for (const name of ["edited", "moved", "gone", "x.lock"]) await host.write(`/${name}`, "known");
  await host.flush();
  await other.catchUpWith(host);
  // Both change what both know; the plan is made when this host has seen what the other did.
  host.sync.setForcedOffline(true);
  await host.write("/edited", "here");
  await host.write("/x.lock", "here");
  host.rename("/moved", "/moved-here");
  await host.write("/new", "made here, twice");
  host.unlink("/gone");
  const before = host.sync.planPush();
  expect(before.records.map(({ verdict }) => verdict)).not.toContain("copied");
  await other.write("/edited", "there");
  await other.write("/x.lock", "there");
  other.rename("/moved", "/moved-there");
  await other.write("/gone", "edited there");
  await other.flush();
  // By its own hands: the connection of the other one waits for news.
  const { records, last } = await host.remoteLog(host.replica.position);
  host.cache.apply(host.replica.applyRemote(records, last).changes);
  const pending = host.replica.pendingCount;
  const plan = host.sync.planPush();
  expect(plan.arePoliciesKnown).toBe(true);
  expect(plan.recno).toBe(last.recno);
  const outcomes = plan.records.map(({ opcode, path, verdict, reason }) => [
    opcode,
    path,
    verdict,
    reason,
  ]);
  expect(outcomes).toEqual(
    expect.arrayContaining([
      ["CLOSE", "/edited", "copied", null],
      ["CLOSE", "/x.lock", "applied", null],
      ["RENAME", "/moved-here", "refused", "moved-elsewhere"],
      ["CREATE", "/new", "applied", null],
      ["UNLINK", "/gone", "refused", "edited-since"],
    ]),
  );
  const copy = plan.records.find(({ verdict }) => verdict === "copied");
  expect(copy?.becomes).toMatch(/^\/edited\.conflict-/);
  expect(host.replica.pendingCount).toBe(pending);
  host.sync.setForcedOffline(false);
  await host.flush();
  expect(host.replica.refusals()).toEqual([
    { path: "/gone", reason: "edited-since", recno: expect.any(Number) },
    { path: "/moved-there", reason: "moved-elsewhere", recno: expect.any(Number) },
  ]);
  // The server did as it was predicted.
  expect(host.list()).toContain(copy!.becomes!.slice(1));
  expect(await host.read("/x.lock")).toBe("here");
  expect(host.list()).toContain("moved-there");
});
