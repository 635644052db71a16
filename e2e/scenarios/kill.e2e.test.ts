import { basename } from "node:path";

import { expect, test } from "vitest";

import { lostTexts } from "../hosts/lost-texts.ts";
import { replayManifest } from "../hosts/replay-manifest.ts";
import { diffManifests, treeManifest } from "../hosts/tree-manifest.ts";
import { startWorkload } from "../hosts/workload-process.ts";
import { workloadFile, type WorkloadStep } from "../hosts/workload.ts";
import { createWorld, differences, settle } from "../hosts/world.ts";

const STEPS = Number(process.env["IZO_E2E_KILL_STEPS"] ?? 600);

test("kill -9 of the server in the middle of two workloads loses nothing, and the hosts agree", async () => {
  await using world = await createWorld();
  let server = await world.serve();
  const client1 = await world.mount("client1", "on-demand");
  const client2 = await world.mount("client2", "replica");
  const one = startWorkload(client1.mountPoint, "one", { steps: STEPS });
  const two = startWorkload(client2.mountPoint, "two", { steps: STEPS });
  for (const share of [0.25, 0.5, 0.75]) {
    await one.reached(STEPS * share);
    await server.kill();
    // Nobody needs the server to go on working.
    await one.reached(STEPS * share + 20);
    server = await world.serve();
  }
  expect(await one.ended).toBeUndefined();
  expect(await two.ended).toBeUndefined();

  await settle(server, client1, client2, client1);
  expect(await differences(world, [client1, client2])).toEqual([]);
  for (const directory of [world.exportDir, client1.mountPoint, client2.mountPoint]) {
    expect(lostTexts(directory, "one", one.done)).toEqual([]);
    expect(lostTexts(directory, "two", two.done)).toEqual([]);
  }
  const exported = await treeManifest(world.exportDir);
  expect(diffManifests(exported, replayManifest(world.exportDir))).toEqual([]);
});

test("kill -9 of a client in the middle of a workload loses nothing that was closed", async () => {
  await using world = await createWorld();
  const server = await world.serve();
  const client2 = await world.mount("client2", "replica");
  const done: WorkloadStep[] = [];
  let client1 = await world.mount("client1", "on-demand");
  for (const author of ["first", "second", "third"]) {
    const work = startWorkload(client1.mountPoint, author, { steps: STEPS });
    await work.reached(STEPS / 3);
    await client1.kill();
    expect(await work.ended).toMatch(/ENOTCONN|ECONNABORTED|EIO|ENOENT/);
    client1 = await world.mount("client1", "on-demand");
    // The step during which the process died was never finished: its file may hold anything.
    const torn = workloadFile(work.done.length);
    const closed = work.done.filter(({ path }) => basename(path) !== torn);
    expect(lostTexts(client1.mountPoint, author, closed)).toEqual([]);
    done.push(...closed);
  }
  await settle(server, client1, client2);
  expect(await differences(world, [client1, client2])).toEqual([]);
  for (const author of ["first", "second", "third"]) {
    const own = done.filter(({ path }) => path.includes(`/${author}/`));
    expect(own.length).toBeGreaterThan(100);
    expect(lostTexts(world.exportDir, author, own)).toEqual([]);
    expect(lostTexts(client2.mountPoint, author, own)).toEqual([]);
  }
  const exported = await treeManifest(world.exportDir);
  expect(diffManifests(exported, replayManifest(world.exportDir))).toEqual([]);
});
