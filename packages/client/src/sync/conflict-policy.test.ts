import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";

import { LoopbackServer } from "../testing/loopback-server.ts";
import { SyncHost } from "../testing/sync-host.ts";

it.each([
  { policy: "ours", expected: "first", names: ["note.txt"] },
  { policy: "theirs", expected: "later, and more", names: ["note.txt"] },
  { policy: "aside", expected: "first", names: [".izo-conflicts", "note.txt"] },
] as const)(
  "[K5] $policy: the author of the later edit sees the decision, and nothing is left over",
  async ({ policy, expected, names }) => {
    await using server = await LoopbackServer.start({
      conflictPolicies: [{ path: "note.txt", policy }],
    });
    await using first = await SyncHost.open(server.url);
    await using later = await SyncHost.open(server.url, "replica");
    await first.write("/note.txt", "as both know it");
    await first.flush();
    await later.catchUpWith(first);
    await server.kill();
    await later.write("/note.txt", "later");
    await later.write("/note.txt", "later, and more");
    await later.stop();
    await server.start();
    await first.write("/note.txt", "first");
    await first.flush();
    await later.start(server.url, "replica");
    await later.flush();
    await first.catchUpWith(later);
    for (const host of [first, later]) {
      expect(host.list().filter((name) => name !== ".intermezzo")).toEqual(names);
      expect(await host.read("/note.txt")).toBe(expected);
      expect(existsSync(join(host.cacheDir, "rescue"))).toBe(false);
      expect(readdirSync(join(host.cacheDir, "limbo"))).toEqual([]);
      expect(host.replica.pendingCount).toBe(0);
    }
    expect(later.replica.conflicts()).toHaveLength(policy === "aside" ? 1 : 0);
    expect(first.replica.conflicts()).toEqual(later.replica.conflicts());
  },
);
