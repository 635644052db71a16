import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { Random } from "@izo/core/testing";
import { expect, test, vi } from "vitest";

import { textOf } from "../hosts/appears.ts";
import { lostTexts } from "../hosts/lost-texts.ts";
import { mountPowerDisk } from "../hosts/power-disk.ts";
import { replayManifest } from "../hosts/replay-manifest.ts";
import { runCommand } from "../hosts/run-command.ts";
import { diffManifests, treeManifest } from "../hosts/tree-manifest.ts";
import { verifyHosts } from "../hosts/verify-hosts.ts";
import { startWorkload } from "../hosts/workload-process.ts";
import { workloadFile, type WorkloadStep } from "../hosts/workload.ts";
import { createWorld, differences, settle, type World } from "../hosts/world.ts";

/** Of each test; 20 in the nightly size. */
const ROUNDS = Number(process.env["IZO_E2E_POWER_ROUNDS"] ?? 1);
const SEED = Number(process.env["IZO_E2E_SEED"] ?? 1);

const STEPS = 150;
/** More steps than a program can do before the power is cut. */
const ENDLESS = 100 * STEPS;
const SYNC_EVERY = 4;
/** Enough for passthrough, which needs room. */
const DISK_MIB = 512;
const TIMEOUT_MS = 120_000 + ROUNDS * 30_000;

/** Longest that a change in the export may take to be logged once nobody writes any more. */
const LOGGED_MS = 20_000;

/** Written and never synced: the image must lack it. */
const CONTROL = "never synced\n".repeat(1000);

/**
 * Paths that hold something that a power cut cannot have left: older than what was synced last, or
 * half of anything. A file that was begun and not synced may be empty: its creation has a record of
 * its own, and so has its truncation.
 *
 * @param leftovers what else the disk may leave of a text that was not synced
 */
function violations(
  directory: string,
  before: ReadonlyMap<string, string | null>,
  done: readonly WorkloadStep[],
  begun: string,
  leftovers: (text: string | null) => readonly string[] = () => [],
): string[] {
  const allowed = new Map([...before].map(([name, text]) => [name, [text]]));
  for (const { path, text, isSynced } of done) {
    const name = basename(path);
    const older = isSynced ? [] : [...(allowed.get(name) ?? [null]), "", ...leftovers(text)];
    allowed.set(name, [...older, text]);
  }
  // Of the step that was begun nothing is known.
  allowed.delete(begun);
  return [...allowed].flatMap(([name, texts]) => {
    const found = textOf(join(directory, name)) ?? null;
    if (texts.includes(found)) return [];
    return [`${name}: found ${JSON.stringify(found)}, expected one of ${JSON.stringify(texts)}`];
  });
}

/**
 * A program that writes past the server gets from ext4 what it asked for: the size of a file that is being written back
 * can be on the disk before its blocks count as written, and they read as zeros then.
 */
const ofExt4 = (text: string | null): string[] => ["\0".repeat(Buffer.byteLength(text ?? ""))];

/** Steps that are not in the tree any more though they were the last of their file. */
function lostSteps(directory: string, done: readonly WorkloadStep[]): number {
  const last = new Map(done.map(({ path, text }) => [basename(path), text]));
  return [...last].filter(([name, text]) => (textOf(join(directory, name)) ?? null) !== text)
    .length;
}

/** The texts of an author's files as they are now. */
function textsIn(directory: string): Map<string, string | null> {
  const names = Array.from({ length: 37 }, (_, step) => workloadFile(step));
  return new Map(names.map((name) => [name, textOf(join(directory, name)) ?? null]));
}

/** The kernel did not start anew, as it would have: the note of the cache's use has to say so. */
function noteRestart(cacheDir: string): void {
  const note = join(cacheDir, "in-use");
  if (existsSync(note)) writeFileSync(note, "00000000-0000-0000-0000-000000000000\n");
}

async function waitUntilLogged(world: World): Promise<void> {
  const unlogged = async (): Promise<string[]> =>
    diffManifests(await treeManifest(world.exportDir), replayManifest(world.exportDir));
  await vi.waitFor(async () => expect(await unlogged()).toEqual([]), { timeout: LOGGED_MS });
}

test(
  "[C6] a power cut on a client takes nothing that was synced, and leaves nothing half done",
  { timeout: TIMEOUT_MS },
  async () => {
    console.log(`again with IZO_E2E_SEED=${SEED} IZO_E2E_POWER_ROUNDS=${ROUNDS}`);
    await using world = await createWorld();
    const server = await world.serve();
    const client2 = await world.mount("client2", "replica");
    const disk = await mountPowerDisk(join(world.directory, "client1/cache"), DISK_MIB);
    let client1 = await world.mount("client1", "on-demand");
    const directory = join(client1.mountPoint, "one");
    for (let round = 0; round < ROUNDS; round++) {
      const random = new Random(SEED + round);
      const before = textsIn(directory);
      const options = { firstStep: round * ENDLESS, syncEvery: SYNC_EVERY };
      const work = startWorkload(client1.mountPoint, "one", { steps: ENDLESS, ...options });
      const other = startWorkload(client2.mountPoint, "two", { steps: STEPS, ...options });
      await work.reached(5 + random.below(STEPS));
      const control = join(client1.cacheDir, `control-${round}`);
      writeFileSync(control, CONTROL);
      await disk.cut(client1, work);
      await Promise.all([client1.kill(), work.kill()]);
      // The kernel keeps the files that it read and wrote itself until the dead mount is gone.
      await runCommand(["umount", "--lazy", client1.mountPoint]);
      await disk.restart();
      expect(textOf(control)).not.toBe(CONTROL);
      noteRestart(client1.cacheDir);

      client1 = await world.mount("client1", "on-demand");
      const { done } = work;
      const begun = workloadFile(options.firstStep + done.length);
      expect(violations(directory, before, done, begun)).toEqual([]);
      console.log(
        `round ${round}: ${done.length} steps, ${lostSteps(directory, done)} files lost their last`,
      );
      expect(await other.ended).toBeUndefined();
      await settle(server, client1, client2);
      expect(violations(directory, before, done, begun)).toEqual([]);
      expect(await differences(world, [client1, client2])).toEqual([]);
      expect(lostTexts(world.exportDir, "two", other.done)).toEqual([]);
      await waitUntilLogged(world);
    }
    expect(await verifyHosts(world, [client1, client2])).toEqual([]);
  },
);

test(
  "[S1] a power cut on the server takes nothing that it has acknowledged",
  { timeout: TIMEOUT_MS },
  async () => {
    console.log(`again with IZO_E2E_SEED=${SEED} IZO_E2E_POWER_ROUNDS=${ROUNDS}`);
    await using world = await createWorld();
    const disk = await mountPowerDisk(world.exportDir, DISK_MIB);
    let server = await world.serve();
    const client1 = await world.mount("client1", "on-demand");
    const client2 = await world.mount("client2", "replica");
    for (let round = 0; round < ROUNDS; round++) {
      const random = new Random(SEED + round);
      const options = { steps: STEPS, firstStep: round * STEPS, syncEvery: SYNC_EVERY };
      const one = startWorkload(client1.mountPoint, "one", options);
      const two = startWorkload(client2.mountPoint, "two", options);
      const before = textsIn(join(world.exportDir, "local"));
      const local = startWorkload(world.exportDir, "local", options);
      await random.pick([one, local]).reached(5 + random.below(STEPS - 10));
      const control = join(world.exportDir, `.intermezzo/control-${round}`);
      writeFileSync(control, CONTROL);
      await disk.cut(server, local);
      await Promise.all([server.kill(), local.kill()]);
      await disk.restart();
      expect(textOf(control)).not.toBe(CONTROL);

      server = await world.serve();
      const { done } = local;
      const begun = workloadFile(options.firstStep + done.length);
      const found = violations(join(world.exportDir, "local"), before, done, begun, ofExt4);
      expect(found).toEqual([]);
      for (const work of [one, two]) expect(await work.ended).toBeUndefined();
      await settle(server, client1, client2);
      await waitUntilLogged(world);
      await settle(server, client1, client2);
      expect(await differences(world, [client1, client2])).toEqual([]);
      for (const where of [world.exportDir, client1.mountPoint, client2.mountPoint]) {
        expect(lostTexts(where, "one", one.done)).toEqual([]);
        expect(lostTexts(where, "two", two.done)).toEqual([]);
      }
      // What a client was told once, the server still has.
      for (const { cacheDir } of [client1, client2])
        expect(readFileSync(join(cacheDir, "mount.log"), "utf8")).not.toMatch(
          /"code":"(log|peer)-diverged"/,
        );
    }
    expect(await verifyHosts(world, [client1, client2])).toEqual([]);
  },
);
