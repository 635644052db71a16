import {
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { expect, test } from "vitest";

import { LocalWriter, writeNoted } from "../hosts/local-writer.ts";
import type { MountProcess } from "../hosts/mount-process.ts";
import { readServerLog, replayManifest } from "../hosts/replay-manifest.ts";
import { sha256Of } from "../hosts/sha256-of.ts";
import { diffManifests, treeManifest } from "../hosts/tree-manifest.ts";
import { createWorld, differences, settle } from "../hosts/world.ts";

/** The suite's size takes some 15 s; IZO_E2E_WRITER_ROUNDS=120 is the size for a night. */
const ROUNDS = Number(process.env["IZO_E2E_WRITER_ROUNDS"] ?? 30);
/** So often the clients wait until the server has everything: then all of it must be in the log. */
const FLUSH_EVERY = 10;
const FILES = ["appended", "saved", "recreated", "held"] as const;

test("local programs write into the export while clients push to the same files: every content is accounted for", async () => {
  await using world = await createWorld();
  const shared = join(world.exportDir, "shared");
  const places = [join(world.exportDir, "moving-1"), join(world.exportDir, "moving-2")] as const;
  let moving: string = places[0];
  mkdirSync(join(moving, "below"), { recursive: true });
  mkdirSync(shared);
  for (const name of FILES) writeFileSync(join(shared, name), "at first\n");
  const server = await world.serve();
  const client1 = await world.mount("client1", "on-demand");
  const client2 = await world.mount("client2", "replica");

  const writers = Object.fromEntries(
    FILES.map((name) => [name, new LocalWriter(join(shared, name))]),
  ) as Record<(typeof FILES)[number], LocalWriter>;
  const held = openSync(join(shared, "held"), "a");
  /** Contents that a client closed and the server has acknowledged. */
  const acknowledged = new Map<string, string>();

  const localStep = (round: number): void => {
    const text = `local ${round}\n`;
    const { appended, saved, recreated } = writers;
    appended.look();
    writeNoted(appended, appended.path, "a", (fd) => writeSync(fd, text));
    saved.look();
    writeNoted(saved, `${saved.path}.tmp`, "w", (fd) => writeSync(fd, `saved ${text}`));
    renameSync(`${saved.path}.tmp`, saved.path);
    recreated.look();
    unlinkSync(recreated.path);
    writeNoted(recreated, recreated.path, "w", (fd) => writeSync(fd, `recreated ${text}`));
    writeSync(held, `held ${text}`);
    const target = moving === places[0] ? places[1] : places[0];
    renameSync(moving, target);
    moving = target;
  };

  const clientStep = (client: MountProcess, name: string, round: number): Map<string, string> => {
    const closed = new Map<string, string>();
    for (const file of FILES) {
      const text = `${name} ${file} ${round}\n`;
      writeFileSync(join(client.mountPoint, "shared", file), text);
      closed.set(sha256Of(text), text);
    }
    return closed;
  };

  for (let round = 1; round <= ROUNDS; round++) {
    if (round % 2 === 1) localStep(round);
    const closed1 = clientStep(client1, "client1", round);
    const closed2 = clientStep(client2, "client2", round);
    if (round % FLUSH_EVERY === 0) {
      await client1.flush();
      await client2.flush();
      for (const [sha256, text] of [...closed1, ...closed2]) acknowledged.set(sha256, text);
    }
  }
  const writerOfHeld = writers.held;
  writerOfHeld.noteInode(held);
  closeSync(held);
  for (const writer of Object.values(writers)) writer.finish();

  // The last local changes become records once they were quiet.
  const unlogged = async () => {
    await settle(server, client1, client2);
    return diffManifests(await treeManifest(world.exportDir), replayManifest(world.exportDir));
  };
  for (let left = 20; left > 0 && (await unlogged()).length > 0; left--) await delay(250);
  expect(await unlogged()).toEqual([]);
  expect(await differences(world, [client1, client2])).toEqual([]);

  const logged = new Set<string>();
  for (const { operation } of readServerLog(world.exportDir)) {
    if (operation.opcode === "CLOSE" && operation.sha256 !== null) logged.add(operation.sha256);
  }
  const missing = [
    ...acknowledged,
    ...Object.values(writers).flatMap(({ required }) => [...required]),
  ]
    .filter(([sha256]) => !logged.has(sha256))
    .map(([, text]) => text);
  expect(missing).toEqual([]);
});
