import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { startRsyncDaemon } from "../hosts/rsync-daemon.ts";
import { runCommand } from "../hosts/run-command.ts";
import { createWorld, type World } from "../hosts/world.ts";
import { LARGE_BYTES, writeLargeFile } from "./large-file.ts";
import { median } from "./median.ts";

/** How long it takes until many small files are on another host, and one large one. */
export interface Replication {
  readonly files: number;
  readonly bytes: number;
  /** From the start of `izo serve` until it accepts requests. */
  readonly firstScanSeconds: number;
  /** From the start of `izo mount --mode replica` until every content is local. */
  readonly replicaSeconds: number;
  /** `rsync -a` of the same tree, from a daemon on the server to an empty directory. */
  readonly rsyncSeconds: number;
  readonly largeBytes: number;
  /** From the start of `izo mount --mode replica` until the file is in the cache, checked. */
  readonly largeReplicaSeconds: number;
  /** `rsync -a --whole-file` of it, from a daemon on the server to an empty directory. */
  readonly largeRsyncSeconds: number;
}

const FILES = 10_000;
const FILES_PER_DIRECTORY = 100;
const POLL_MS = 2;

/**
 * On a new disk: an ext4 without a journal makes files more slowly, tenfold and more, where others were removed
 * in the last minutes, which it passes over (`recently_deleted` in fs/ext4/ialloc.c).
 */
const DISK_MIB = 2048;
const LARGE_DISK_MIB = 5 * 1024;

/** The median of so many rounds, each with a new world. */
export async function measureReplication(rounds: number): Promise<Replication> {
  const found: Replication[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after another: they share the machine
    found.push({ ...(await measureSmall()), ...(await measureLarge()) });
  }
  const medianOf = (key: keyof Replication): number => median(found.map((each) => each[key]));
  return {
    files: FILES,
    bytes: medianOf("bytes"),
    firstScanSeconds: medianOf("firstScanSeconds"),
    replicaSeconds: medianOf("replicaSeconds"),
    rsyncSeconds: medianOf("rsyncSeconds"),
    largeBytes: LARGE_BYTES,
    largeReplicaSeconds: medianOf("largeReplicaSeconds"),
    largeRsyncSeconds: medianOf("largeRsyncSeconds"),
  };
}

type Large = "largeBytes" | "largeReplicaSeconds" | "largeRsyncSeconds";

async function measureLarge(): Promise<Pick<Replication, Large>> {
  await using world = await createWorld({ diskMib: LARGE_DISK_MIB });
  const sha256 = writeLargeFile(join(world.exportDir, "large"));
  await world.serve();
  const copy = (): Promise<number> => rsync(world, "--whole-file", "--exclude=/.intermezzo");
  const removeCopy = async (): Promise<void> => {
    rmSync(join(world.directory, "rsync"), { recursive: true });
    await runCommand(["sync"]);
  };
  // Each finds the memory that a copy of the file has left, and no writing back of the file itself, which takes as much.
  await copy();
  await removeCopy();
  const largeRsyncSeconds = await copy();
  await removeCopy();
  const largeReplicaSeconds = await seconds(async () => {
    const { cacheDir } = await world.mount("client1", "replica");
    await untilInPlace(cacheDir, sha256);
  });
  return { largeBytes: LARGE_BYTES, largeReplicaSeconds, largeRsyncSeconds };
}

async function measureSmall(): Promise<Omit<Replication, Large>> {
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

async function rsync(
  { server, client1, directory, exportDir }: World,
  ...options: string[]
): Promise<number> {
  await using daemon = await startRsyncDaemon(server, exportDir, directory);
  const to = join(directory, "rsync");
  const command = client1.inside(["rsync", "-a", ...options, daemon.url, to]);
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

/** The file takes its name, and leaves the place where it was fetched to, when all of it is there and right. */
async function untilInPlace(cacheDir: string, sha256: string): Promise<void> {
  const partial = join(cacheDir, "partial", sha256);
  const tree = join(cacheDir, "tree", "large");
  const isInTree = (): boolean => (statSync(tree, { throwIfNoEntry: false })?.blocks ?? 0) > 0;
  // oxlint-disable-next-line no-await-in-loop -- until it is there
  while (!isInTree() || existsSync(partial)) await delay(POLL_MS);
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1000;
}
