import { mkdirSync, readdirSync, statfsSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import type { MountProcess } from "../hosts/mount-process.ts";
import type { NetworkHost } from "../hosts/network.ts";
import { runCommand } from "../hosts/run-command.ts";
import { mountSmallDisk } from "../hosts/small-disk.ts";
import { createWorld } from "../hosts/world.ts";

/** Some 15 s; IZO_E2E_LEAK_OPERATIONS=1000000 is the size for a night. */
const OPERATIONS = Number(process.env["IZO_E2E_LEAK_OPERATIONS"] ?? 5_600);
const WARM_UP = 2_800;
const TIME_LIMIT_MS = 120_000 + OPERATIONS * 5;

/** The caches of rows of the index fill meanwhile, up to their bounds: after 90,000 operations they had 21. */
const MOST_MIB = 30;

interface Holdings {
  /** Of the mount's process. */
  readonly descriptors: readonly string[];
  /** Of that, after a full collection. */
  readonly heapMib: number;
  /** Of the disk with the cache: an inode that the kernel or a descriptor still holds is among them. */
  readonly inodes: number;
}

async function holdings(host: NetworkHost, { pid, cacheDir }: MountProcess): Promise<Holdings> {
  const program = join(import.meta.dirname, "../hosts/live-heap.ts");
  const heapBytes = await runCommand(host.inside([process.execPath, program, String(pid)]));
  const { files, ffree } = statfsSync(cacheDir);
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`),
    heapMib: Number(heapBytes) / 1024 / 1024,
    inodes: files - ffree,
  };
}

test(
  `${OPERATIONS} operations of all kinds leave memory, descriptors and inodes as they were`,
  async () => {
    await using world = await createWorld();
    await world.serve();
    mkdirSync(join(world.directory, "client1"));
    await mountSmallDisk(join(world.directory, "client1"), 512);
    const client = await world.mount("client1", "on-demand");
    const program = join(import.meta.dirname, "../hosts/churn.ts");
    const churn = async (operations: number): Promise<Holdings> => {
      const directory = join(client.mountPoint, "churn");
      const command = [process.execPath, program, directory, String(operations)];
      await runCommand(command, { timeoutMs: TIME_LIMIT_MS });
      await client.flush(TIME_LIMIT_MS / 1000);
      await expect
        .poll(() => readdirSync(join(client.cacheDir, "tree")), { timeout: 20_000 })
        .toEqual([]);
      return holdings(world.client1, client);
    };

    const before = await churn(WARM_UP);
    const after = await churn(OPERATIONS);
    console.log(
      `${OPERATIONS} operations: ${before.heapMib.toFixed(1)} → ${after.heapMib.toFixed(1)} MiB, ` +
        `${before.descriptors.length} → ${after.descriptors.length} descriptors, ` +
        `${before.inodes} → ${after.inodes} inodes`,
    );
    expect(after.descriptors.length).toBeLessThanOrEqual(before.descriptors.length + 2);
    expect(after.inodes).toBeLessThanOrEqual(before.inodes + 10);
    expect(after.heapMib - before.heapMib).toBeLessThan(MOST_MIB);
  },
  TIME_LIMIT_MS,
);
