import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { startRsyncDaemon } from "../hosts/rsync-daemon.ts";
import { runCommand } from "../hosts/run-command.ts";
import { createWorld, type World } from "../hosts/world.ts";
import { median } from "./median.ts";

/** How long it takes until many small files are on another host. */
export interface Replication {
  readonly files: number;
  readonly bytes: number;
  /** From the start of `izo serve` until it accepts requests. */
  readonly firstScanSeconds: number;
  /** From the start of `izo mount --mode replica` until every content is local. */
  readonly replicaSeconds: number;
  /** `rsync -a` of the same tree, from a daemon on the server to an empty directory. */
  readonly rsyncSeconds: number;
}

const FILES = 10_000;
const FILES_PER_DIRECTORY = 100;
const POLL_MS = 2;

/**
 * On a new disk: an ext4 without a journal makes files more slowly, tenfold and more, where others were removed
 * in the last minutes, which it passes over (`recently_deleted` in fs/ext4/ialloc.c).
 */
const DISK_MIB = 2048;

/** The median of so many rounds, each with a new world. */
export async function measureReplication(rounds: number): Promise<Replication> {
  const found: Replication[] = [];
  // oxlint-disable-next-line no-await-in-loop -- one after another: they share the machine
  for (let round = 0; round < rounds; round += 1) found.push(await measureOnce());
  const medianOf = (key: keyof Replication): number => median(found.map((each) => each[key]));
  return {
    files: FILES,
    bytes: medianOf("bytes"),
    firstScanSeconds: medianOf("firstScanSeconds"),
    replicaSeconds: medianOf("replicaSeconds"),
    rsyncSeconds: medianOf("rsyncSeconds"),
  };
}

async function measureOnce(): Promise<Replication> {
  await using world = await createWorld({ diskMib: DISK_MIB });
  let bytes = 0;
  for (let file = 0; file < FILES; file++) {
    const directory = join(world.exportDir, String(Math.floor(file / FILES_PER_DIRECTORY)));
    if (file % FILES_PER_DIRECTORY === 0) mkdirSync(directory);
    const content = `${file} `.repeat(200 + (file % 600));
    bytes += content.length;
    writeFileSync(join(directory, String(file)), content);
  }
  const rsyncSeconds = await rsync(world);
  const firstScanSeconds = await seconds(() => world.serve());
  const replicaSeconds = await seconds(async () => {
    const { cacheDir } = await world.mount("client1", "replica");
    await untilComplete(join(cacheDir, "tree"));
  });
  return { files: FILES, bytes, firstScanSeconds, replicaSeconds, rsyncSeconds };
}

async function rsync({ server, client1, directory, exportDir }: World): Promise<number> {
  await using daemon = await startRsyncDaemon(server, exportDir, directory);
  const command = client1.inside(["rsync", "-a", daemon.url, join(directory, "rsync")]);
  return await seconds(() => runCommand(command));
}

/** Looks at the cache itself: to ask the mount would take its time from what is measured. */
async function untilComplete(tree: string): Promise<void> {
  for (let file = 0; file < FILES;) {
    const path = join(tree, String(Math.floor(file / FILES_PER_DIRECTORY)), String(file));
    const hasContent = (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) > 0;
    if (hasContent) file += 1;
    // oxlint-disable-next-line no-await-in-loop -- until it is there
    else await delay(POLL_MS);
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1000;
}
