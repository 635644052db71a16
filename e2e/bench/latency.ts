import { closeSync, fdatasyncSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

import { quantile } from "../hosts/appears.ts";
import { closeToReadable } from "../hosts/close-to-readable.ts";
import { createWorld } from "../hosts/world.ts";

/** How soon others see what one client closes, beside what the disk takes for one sync. All in ms. */
export interface Latency {
  readonly files: number;
  /** From close(2) on a client until another, a replica, can read the file. */
  readonly toReplica: Quantiles;
  /** The same, until a client on demand can. */
  readonly toOnDemand: Quantiles;
  /** Until it stands in the exported directory. */
  readonly toServer: Quantiles;
  /** fdatasync(2) of 256 appended bytes on the disk that server and clients share. */
  readonly fdatasync: Quantiles;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/** In each direction; every round adds as many. */
const FILES = 100;
const SYNCED_BYTES = 256;
/** The first files of a mount wait for code that was not compiled yet. */
const WARM_UP_FILES = 20;

/** In one world. The quantiles are of all rounds together. */
export async function measureLatency(rounds: number): Promise<Latency> {
  await using world = await createWorld();
  const exported = join(world.exportDir, "d");
  mkdirSync(exported);
  await world.serve();
  const { mountPoint: first } = await world.mount("client1", "on-demand");
  const { mountPoint: second } = await world.mount("client2", "replica");
  const server = ["server", exported] as const;
  const client1 = ["client1", join(first, "d")] as const;
  const client2 = ["client2", join(second, "d")] as const;
  const files = FILES * rounds;
  await closeToReadable(client1, client2, WARM_UP_FILES);
  await closeToReadable(client2, client1, WARM_UP_FILES);
  return {
    files,
    toReplica: quantilesOf(await closeToReadable(client1, client2, files)),
    toOnDemand: quantilesOf(await closeToReadable(client2, client1, files)),
    toServer: quantilesOf(await closeToReadable(client1, server, files)),
    fdatasync: quantilesOf(timeSyncs(join(world.directory, "synced"), files)),
  };
}

function timeSyncs(path: string, count: number): number[] {
  const fd = openSync(path, "a");
  const bytes = Buffer.alloc(SYNCED_BYTES, "x");
  try {
    return Array.from({ length: count }, () => {
      writeSync(fd, bytes);
      const startMs = performance.now();
      fdatasyncSync(fd);
      return performance.now() - startMs;
    });
  } finally {
    closeSync(fd);
  }
}

function quantilesOf(values: readonly number[]): Quantiles {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99) };
}
