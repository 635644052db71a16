import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { FilesetId, PeerId } from "@izo/core";

import { appears } from "../hosts/appears.ts";
import { izoJson } from "../hosts/cli.ts";
import { createWorld, settle } from "../hosts/world.ts";
import { writeCreations } from "./log-rates.ts";

/** What grows with a fileset. */
export interface Scale {
  readonly files: number;
  /** From the start of `izo serve` until it accepts requests, all files being new to it. */
  readonly firstScanSeconds: number;
  /** From the start of `izo mount` with an empty cache until a file in the last directory is found. */
  readonly startSeconds: number;
  /** Files in a directory that a client renames, which has seen none of them. */
  readonly movedFiles: number;
  /** From that rename until another client has the new name. */
  readonly renameMs: number;
  readonly records: number;
  /** Records a second of `izo reindex`, its check of the whole log included. */
  readonly reindex: number;
}

const FILES = 200_000;
const FILES_PER_DIRECTORY = 1000;
const RECORDS = 1_000_000;
const REINDEX_MS = 300_000;

export async function measureScale(): Promise<Scale> {
  return { ...(await measureFileset()), ...(await measureReindex()) };
}

async function measureFileset(): Promise<Omit<Scale, "records" | "reindex">> {
  await using world = await createWorld();
  const directories = FILES / FILES_PER_DIRECTORY;
  for (let number = 0; number < directories; number++) {
    // One half stands below a directory that is renamed later.
    const directory = join(world.exportDir, number < directories / 2 ? "moved" : "", `${number}`);
    mkdirSync(directory, { recursive: true });
    for (let file = 0; file < FILES_PER_DIRECTORY; file++)
      writeFileSync(join(directory, `file-${file}`), `${number} ${file}\n`);
  }
  const started = performance.now();
  const server = await world.serve();
  const served = performance.now();
  const client1 = await world.mount("client1", "on-demand");
  statSync(join(client1.mountPoint, `${directories - 1}`, `file-${FILES_PER_DIRECTORY - 1}`));
  const mounted = performance.now();
  const client2 = await world.mount("client2", "on-demand");
  await settle(server, client1, client2);
  renameSync(join(client1.mountPoint, "moved"), join(client1.mountPoint, "again"));
  const renameMs = await appears("the new name", () =>
    readdirSync(client2.mountPoint).includes("again"),
  );
  return {
    files: FILES,
    firstScanSeconds: (served - started) / 1000,
    startSeconds: (mounted - served) / 1000,
    movedFiles: FILES / 2,
    renameMs,
  };
}

/** A log of creations that nobody made takes the place of that of an empty export. */
async function measureReindex(): Promise<Pick<Scale, "records" | "reindex">> {
  await using world = await createWorld();
  const server = await world.serve();
  await server.stop();
  const state = join(world.exportDir, ".intermezzo/rootfset");
  const idIn = (name: string): string => readFileSync(join(state, name), "utf8").trim();
  await writeCreations(
    {
      dir: join(state, "kml"),
      fileset: idIn("fileset") as FilesetId,
      peer: idIn("sysid") as PeerId,
    },
    RECORDS,
  );
  const begunMs = performance.now();
  await izoJson(["reindex", world.exportDir], { timeoutMs: REINDEX_MS });
  return { records: RECORDS, reindex: (RECORDS * 1000) / (performance.now() - begunMs) };
}
