import { closeSync, openSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { startMount } from "../hosts/mount-process.ts";
import { runCommand } from "../hosts/run-command.ts";
import { createWorld, type World } from "../hosts/world.ts";
import { LARGE_BYTES, writeLargeFile } from "./large-file.ts";
import { median } from "./median.ts";

/** What it takes to read a large file that is not in the cache, and `curl` to get it to a file. */
export interface ColdRead {
  readonly bytes: number;
  /** From open(2) until the first 4 KiB are read. */
  readonly firstByteMs: number;
  /** From open(2) to the end of the file. */
  readonly readSeconds: number;
  /** Until all of it is in the cache, checked. */
  readonly wholeSeconds: number;
  readonly curlSeconds: number;
}

/** As `cat` reads. */
const READ_BYTES = 128 * 1024;
const POLL_MS = 20;

/** Medians of so many rounds, in which the two take turns. */
export async function measureColdRead(rounds: number): Promise<ColdRead> {
  await using world = await createWorld();
  const sha256 = writeLargeFile(join(world.exportDir, "large"));
  await world.serve();
  const found: Omit<ColdRead, "bytes">[] = [];
  await untilServed(world, sha256);
  // The first copy finds other memory than all later ones, which find what one before them has left.
  await curl(world, sha256);
  for (let round = 0; round < rounds; round += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after another: they share the machine
    const curlSeconds = await curl(world, sha256);
    // oxlint-disable-next-line no-await-in-loop
    found.push({ curlSeconds, ...(await readCold(world, round)) });
  }
  const medianOf = (key: keyof (typeof found)[0]): number => median(found.map((each) => each[key]));
  return {
    bytes: LARGE_BYTES,
    firstByteMs: medianOf("firstByteMs"),
    readSeconds: medianOf("readSeconds"),
    wholeSeconds: medianOf("wholeSeconds"),
    curlSeconds: medianOf("curlSeconds"),
  };
}

function contentUrl({ server }: World, sha256: string): string {
  return `http://${server.address}:8370/v1/filesets/rootfset/content/${sha256}`;
}

/** So large a file is hashed beside all else, and known by its hash some seconds after the server has come up. */
async function untilServed(world: World, sha256: string): Promise<void> {
  const again = ["--retry", "60", "--retry-delay", "1", "--retry-all-errors"];
  const url = contentUrl(world, sha256);
  await runCommand(world.client1.inside(["curl", "--silent", "--fail", "--head", ...again, url]));
}

async function curl(world: World, sha256: string): Promise<number> {
  const { directory, client1 } = world;
  const url = contentUrl(world, sha256);
  const output = join(directory, "curl");
  await runCommand(["sync"]);
  const startMs = performance.now();
  await runCommand(client1.inside(["curl", "--silent", "--fail", "--output", output, url]));
  const seconds = (performance.now() - startMs) / 1000;
  rmSync(output);
  return seconds;
}

async function readCold(
  { directory, server, client1 }: World,
  round: number,
): Promise<Omit<ColdRead, "bytes" | "curlSeconds">> {
  const home = join(directory, `cold-${round}`);
  const url = `http://${server.address}:8370/rootfset`;
  const mount = await startMount({ host: client1, url, directory: home, mode: "on-demand" });
  await runCommand(["sync"]);
  const startMs = performance.now();
  const [firstByteMs, readMs] = read(join(mount.mountPoint, "large"), startMs);
  // oxlint-disable-next-line no-await-in-loop -- asked until it is there
  while ((await mount.status()).cachedBytes < LARGE_BYTES) await delay(POLL_MS);
  const wholeSeconds = (performance.now() - startMs) / 1000;
  await mount.unmount();
  rmSync(mount.cacheDir, { recursive: true });
  return { firstByteMs, readSeconds: readMs / 1000, wholeSeconds };
}

/** When the first bytes and the last had been read. */
function read(path: string, startMs: number): [firstMs: number, lastMs: number] {
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  const fd = openSync(path, "r");
  try {
    let bytes = readSync(fd, buffer, 0, 4096, null);
    const firstMs = performance.now() - startMs;
    for (let count = bytes; count > 0; bytes += count)
      count = readSync(fd, buffer, 0, READ_BYTES, null);
    if (bytes !== LARGE_BYTES)
      throw new Error(`Cannot measure: ${bytes} bytes of ${LARGE_BYTES} were read`);
    return [firstMs, performance.now() - startMs];
  } finally {
    closeSync(fd);
  }
}
