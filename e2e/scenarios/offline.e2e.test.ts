import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { expect, test } from "vitest";

import type { MountProcess } from "../hosts/mount-process.ts";
import type { NetworkHost } from "../hosts/network.ts";
import type { OfficeOptions, OfficeWork } from "../hosts/office-work.ts";
import { readServerLog, replayManifest } from "../hosts/replay-manifest.ts";
import { runCommand } from "../hosts/run-command.ts";
import { diffManifests, treeManifest } from "../hosts/tree-manifest.ts";
import { createWorld, differences, settle } from "../hosts/world.ts";

/**
 * Work of the client that is cut off. Ten minutes of it: IZO_E2E_OFFLINE_SECONDS=600
 * IZO_E2E_OFFLINE_OPERATIONS=6000.
 */
const SECONDS = Number(process.env["IZO_E2E_OFFLINE_SECONDS"] ?? 2);
const OPERATIONS = Number(process.env["IZO_E2E_OFFLINE_OPERATIONS"] ?? 120);
const SEED = Number(process.env["IZO_E2E_OFFLINE_SEED"] ?? 1);

const DIRECTORIES = 12;
const FILES_EACH = 8;

const WORK_MS = SECONDS * 1000 + OPERATIONS * 40 + 60_000;
const FLUSH_SECONDS = 50 + OPERATIONS / 20;

/** A repository of git with some files, committed. */
function fill(project: string): void {
  for (let index = 0; index < DIRECTORIES; index++) {
    const directory = join(project, `directory-${index}`, "below");
    mkdirSync(directory, { recursive: true });
    for (let file = 0; file < FILES_EACH; file++) {
      const path = join(file % 2 === 0 ? directory : join(directory, ".."), `file-${file}.txt`);
      writeFileSync(path, `${index}/${file} as all know it\n`);
    }
  }
  const git = (...args: string[]): void => void execFileSync("git", ["-C", project, ...args]);
  git("init", "--quiet");
  git("config", "user.name", "e2e");
  git("config", "user.email", "e2e@example.org");
  git("add", "--all");
  git("commit", "--quiet", "--message", "as all know it");
}

async function work(options: OfficeOptions): Promise<OfficeWork> {
  const program = join(import.meta.dirname, "../hosts/office-work.ts");
  const command = [process.execPath, "--conditions=izo:source", program, JSON.stringify(options)];
  return JSON.parse(await runCommand(command, { timeoutMs: WORK_MS })) as OfficeWork;
}

/** The contents of all files below a directory, by hash, with a path of each. */
async function contentsOf(directory: string): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  for (const [path, line] of await treeManifest(directory, { timeoutMs: 240_000 })) {
    const { sha256 } = JSON.parse(line) as { sha256?: string };
    if (sha256 !== undefined) contents.set(sha256, join(directory, path));
  }
  return contents;
}

const READ_STATUS =
  "for (const url of process.argv.slice(1)) process.stdout.write(`${(await fetch(url)).status}\\n`)";

/** Hashes whose content the server does not give any more, also not from its history. */
async function notServed(
  host: NetworkHost,
  filesetUrl: string,
  hashes: readonly string[],
): Promise<string[]> {
  if (hashes.length === 0) return [];
  const urls = hashes.map((sha256) => `${filesetUrl}/content/${sha256}`);
  const command = [process.execPath, "--input-type=module", "-e", READ_STATUS, ...urls];
  const output = await runCommand(host.inside(command));
  const statuses = output.trimEnd().split("\n");
  return hashes.filter((_, index) => statuses[index] !== "200");
}

/** Records of the server's log that one peer authored, after a recno. */
function recordsSince(exportDir: string, recno: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const record of readServerLog(exportDir)) {
    if (record.recno <= recno) continue;
    counts.set(record.origin.peer, (counts.get(record.origin.peer) ?? 0) + 1);
  }
  return counts;
}

test(
  "a client that was cut off while it worked meets the others again: equal trees, and every content is accounted for",
  { timeout: 2 * WORK_MS + 600_000 },
  async () => {
    await using world = await createWorld();
    fill(join(world.exportDir, "project"));
    const server = await world.serve();
    const away = await world.mount("client1", "replica");
    const other = await world.mount("client2", "on-demand");
    const before = await settle(server, other, away);
    expect(await differences(world, [away, other])).toEqual([]);

    const known = await contentsOf(world.exportDir);

    await world.client1.cut();
    const task = (directory: string, author: string, share: number): OfficeOptions => ({
      directory: join(directory, "project"),
      author,
      operations: Math.ceil(OPERATIONS * share),
      seconds: SECONDS,
      seed: SEED + author.length,
      commits: author === "away",
    });
    const [worked, ...others] = await Promise.all([
      work(task(away.mountPoint, "away", 1)),
      work(task(other.mountPoint, "other", 0.3)),
      work(task(world.exportDir, "local", 0.2)),
    ]);
    await other.flush();

    // What each author left in the end was overwritten or removed by nobody of its own host. What all
    // knew before may be gone: who overwrites it has seen it.
    const found = new Map([
      ...(await contentsOf(world.exportDir)),
      ...(await contentsOf(other.mountPoint)),
      ...(await contentsOf(away.mountPoint)),
    ]);
    const left = new Map([...found].filter(([sha256]) => !known.has(sha256)));
    const { pending, state } = await away.status();
    expect(pending).toBeGreaterThan(worked.operations / 2);
    // A short cut is over before it is noticed.
    expect(SECONDS > 30 ? state : "offline").toBe("offline");

    await world.client1.heal();
    const startMs = performance.now();
    await away.flush(FLUSH_SECONDS);
    const tookMs = performance.now() - startMs;
    await agree(world, server, [away, other]);

    const sent = [...recordsSince(world.exportDir, before)].map(([, count]) => count);
    console.log(
      `offline: ${worked.operations} operations, ${worked.commits} commits, ${worked.missed} missed; ` +
        `${others.map(({ operations }) => operations).join(" and ")} by others; ` +
        `${pending} own records waited; records by peer ${sent.join(", ")}; ` +
        `reintegrated in ${(tookMs / 1000).toFixed(1)} s, ` +
        `${Math.round(worked.operations / (tookMs / 1000))} operations/s, ` +
        `${Math.round(pending / (tookMs / 1000))} records/s`,
    );

    const kept = await contentsOf(world.exportDir);
    const gone = [...left.keys()].filter((sha256) => !kept.has(sha256));
    const lost = await notServed(world.server, filesetUrlOf(server.url), gone);
    expect(lost.map((sha256) => left.get(sha256))).toEqual([]);
    execFileSync("git", ["-C", join(world.exportDir, "project"), "fsck", "--no-dangling"]);
  },
);

/** Until all hosts have the same tree and the log says so too. */
async function agree(
  world: Awaited<ReturnType<typeof createWorld>>,
  server: Awaited<ReturnType<typeof world.serve>>,
  mounts: readonly [MountProcess, MountProcess],
): Promise<void> {
  const unlogged = async (): Promise<string[]> => {
    await settle(server, ...mounts, mounts[0]);
    return diffManifests(await treeManifest(world.exportDir), replayManifest(world.exportDir));
  };
  // The last local changes become records once they were quiet.
  for (let left = 20; left > 0 && (await unlogged()).length > 0; left--) await delay(250);
  expect(await unlogged()).toEqual([]);
  expect(await differences(world, mounts)).toEqual([]);
}

function filesetUrlOf(url: string): string {
  const { origin } = new URL(url);
  return `${origin}/v1/filesets/rootfset`;
}
