import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { runCommand } from "../hosts/run-command.ts";
import { createWorld } from "../hosts/world.ts";

/** How long it takes until many small files are on another host. */
export interface Replication {
  readonly files: number;
  readonly bytes: number;
  /** From the start of `izo serve` until it accepts requests. */
  readonly firstScanSeconds: number;
  /** From the start of `izo mount --mode replica` until every content is local. */
  readonly replicaSeconds: number;
  /** `rsync -a` of the same tree to an empty directory. */
  readonly rsyncSeconds: number;
}

const FILES = 10_000;
const FILES_PER_DIRECTORY = 100;
const POLL_MS = 10;

export async function measureReplication(): Promise<Replication> {
  await using world = await createWorld();
  let bytes = 0;
  for (let file = 0; file < FILES; file++) {
    const directory = join(world.exportDir, String(Math.floor(file / FILES_PER_DIRECTORY)));
    if (file % FILES_PER_DIRECTORY === 0) mkdirSync(directory);
    const content = `${file} `.repeat(200 + (file % 600));
    bytes += content.length;
    writeFileSync(join(directory, String(file)), content);
  }
  const rsyncSeconds = await seconds(() =>
    runCommand(["rsync", "-a", `${world.exportDir}/`, join(world.directory, "rsync")]),
  );
  const firstScanSeconds = await seconds(() => world.serve());
  const replicaSeconds = await seconds(async () => {
    const mount = await world.mount("client1", "replica");
    while ((await mount.status()).cachedBytes < bytes) await delay(POLL_MS);
  });
  return { files: FILES, bytes, firstScanSeconds, replicaSeconds, rsyncSeconds };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1000;
}
