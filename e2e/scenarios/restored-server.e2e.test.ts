import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test, vi } from "vitest";

import { askMount } from "../hosts/ask-mount.ts";
import { izoJson, tryIzo } from "../hosts/cli.ts";
import type { MountProcess } from "../hosts/mount-process.ts";
import type { ServerProcess } from "../hosts/server-process.ts";
import { createWorld, differences } from "../hosts/world.ts";

interface Plan {
  readonly replayedRecno: number;
  readonly serverRecno: number;
  readonly absent: readonly string[];
}

function write(mount: MountProcess, names: readonly string[]): void {
  for (const name of names) writeFileSync(join(mount.mountPoint, name), `content of ${name}`);
}

async function untilDiverged(mount: MountProcess): Promise<void> {
  await vi.waitFor(
    async () => {
      // Ends the wait before the next attempt to connect.
      await askMount(mount, "POST", "/flush", AbortSignal.timeout(500)).catch(() => {});
      expect(await askMount(mount, "GET", "/status")).toMatchObject({ state: "diverged" });
    },
    { timeout: 90_000, interval: 100 },
  );
}

/** Until the mounts have all that each of them did; gives the last recno. */
async function meet(server: ServerProcess, ...mounts: readonly MountProcess[]): Promise<number> {
  for (const mount of mounts) await askMount(mount, "POST", "/flush");
  const { headRecno } = await server.status();
  for (const mount of mounts) await askMount(mount, "POST", `/wait?recno=${headRecno}`);
  return headRecno;
}

test("[P2] a server restored from a backup is found out and refused, and izo salvage brings back all that was lost", async () => {
  await using world = await createWorld();
  const { exportDir } = world;
  const backup = join(world.directory, "backup");
  let server = await world.serve();
  const client1 = await world.mount("client1", "replica");
  const client2 = await world.mount("client2", "on-demand");
  write(client1, ["old-1", "old-2"]);
  await meet(server, client1, client2);
  await server.kill();
  cpSync(exportDir, backup, { recursive: true, preserveTimestamps: true });

  // The time that the backup knows nothing of.
  server = await world.serve();
  write(client1, ["lost-1", "old-2"]);
  write(client2, ["lost-2"]);
  const lostHead = await meet(server, client1, client2);
  // Only client 1 has this one yet, and nobody has acknowledged what client 2 does now.
  await client2.kill();
  write(client1, ["lost-3"]);
  await meet(server, client1);
  await server.kill();
  for (const name of readdirSync(exportDir)) rmSync(join(exportDir, name), { recursive: true });
  cpSync(backup, exportDir, { recursive: true, preserveTimestamps: true });
  // It has grown since, beyond what the clients have seen: only the hash of a position tells.
  for (let file = 0; file < lostHead + 10; file += 1) {
    writeFileSync(join(exportDir, `grown-${file}`), "grown");
  }
  server = await world.serve();
  expect((await server.status()).headRecno).toBeGreaterThan(lostHead);
  const mounted = await world.mount("client2", "on-demand");
  await Promise.all([untilDiverged(client1), untilDiverged(mounted)]);
  write(mounted, ["waiting"]);

  // Refused, with an explanation, and nothing is pulled or pushed.
  const flush = await tryIzo(["flush", mounted.mountPoint]);
  expect(flush.status).toBe(4);
  expect(flush.stderr).toMatch(/restored from a backup[^]*izo salvage/);
  const { stdout } = await tryIzo(["status", client1.mountPoint]);
  expect(stdout).toMatch(/diverged[^]*izo salvage/);
  expect(JSON.stringify(await server.status())).toContain("restored from a backup?");
  expect(readdirSync(client1.mountPoint)).not.toContain("grown-0");
  expect(readdirSync(exportDir)).not.toContain("waiting");
  expect(readFileSync(join(mounted.mountPoint, "waiting"), "utf8")).toBe("content of waiting");

  // The way out.
  const plan = await izoJson<Plan>(["salvage", mounted.mountPoint, "--dry-run"]);
  expect(plan.absent).toContain("/lost-1");
  expect(plan.serverRecno).toBeGreaterThan(plan.replayedRecno);
  for (const mount of [mounted, client1]) {
    // oxlint-disable-next-line no-await-in-loop -- one administrator after the other
    await izoJson(["salvage", mount.mountPoint]);
    // oxlint-disable-next-line no-await-in-loop
    await askMount(mount, "POST", "/flush");
  }
  await meet(server, client1, mounted, client1);
  expect(await differences(world, [client1, mounted])).toEqual([]);
  for (const name of ["old-1", "old-2", "lost-1", "lost-2", "lost-3", "waiting"]) {
    expect(readFileSync(join(exportDir, name), "utf8")).toBe(`content of ${name}`);
  }
  const names = readdirSync(exportDir).filter((name) => name.includes("conflict"));
  expect(names).toEqual([]);
  expect((await tryIzo(["verify", exportDir])).status).toBe(0);
});
