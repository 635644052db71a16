import { readFileSync } from "node:fs";
import { basename, join } from "node:path";

import { Random } from "@izo/core/testing";
import { expect, test, vi } from "vitest";

import { lostTexts } from "../hosts/lost-texts.ts";
import type { MountProcess } from "../hosts/mount-process.ts";
import { replayManifest } from "../hosts/replay-manifest.ts";
import type { ServerProcess } from "../hosts/server-process.ts";
import { diffManifests, treeManifest } from "../hosts/tree-manifest.ts";
import { verifyHosts } from "../hosts/verify-hosts.ts";
import { startWorkload } from "../hosts/workload-process.ts";
import { workloadFile, type WorkloadStep } from "../hosts/workload.ts";
import { createWorld, differences, settle, type World } from "../hosts/world.ts";

/** 200 in the nightly size. */
const ROUNDS = Number(process.env["IZO_E2E_KILL_ROUNDS"] ?? 2);
const SEED = Number(process.env["IZO_E2E_SEED"] ?? 1);

/** Of each author in a round; every third is synced. */
const STEPS = 120;
const SYNC_EVERY = 3;

/** So many rounds lie between two comparisons of all hosts, which take longer than a round. */
const COMPARE_EVERY = 10;

/** Longest that a change in the export may take to be logged once nobody writes any more. */
const LOGGED_MS = 20_000;

const VICTIMS = [
  ["server"],
  ["client1"],
  ["client2"],
  ["server", "client1"],
  ["client1", "client2"],
  ["server", "client1", "client2"],
] as const;

interface Hosts {
  server: ServerProcess;
  client1: MountProcess;
  client2: MountProcess;
}

/** Everyone writes in a directory of his own: on a mount each, and straight into the export. */
const AUTHORS = { one: "client1", two: "client2", local: undefined } as const;
type AuthorName = keyof typeof AUTHORS;

/** What each author is known to have closed. */
type Closed = Record<AuthorName, WorkloadStep[]>;

test(
  `${ROUNDS} rounds of kill -9 of server and clients under load lose nothing that was closed, and all hosts agree`,
  { timeout: 120_000 + ROUNDS * 30_000 },
  async () => {
    console.log(`again with IZO_E2E_SEED=${SEED} IZO_E2E_KILL_ROUNDS=${ROUNDS}`);
    await using world = await createWorld();
    const hosts: Hosts = {
      server: await world.serve(),
      client1: await world.mount("client1", "on-demand"),
      client2: await world.mount("client2", "replica"),
    };
    const closed: Closed = { one: [], two: [], local: [] };
    for (let round = 0; round < ROUNDS; round++) {
      // oxlint-disable-next-line no-await-in-loop -- rounds follow each other
      expect(await playRound(world, hosts, closed, round)).toEqual([]);
      const isCompared = round === ROUNDS - 1 || round % COMPARE_EVERY === COMPARE_EVERY - 1;
      // oxlint-disable-next-line no-await-in-loop
      if (isCompared) await compareHosts(world, hosts, closed);
    }
  },
);

/** Gives what went wrong: workloads that failed on a host that lived, contents that a dead one lost. */
async function playRound(
  world: World,
  hosts: Hosts,
  closed: Closed,
  round: number,
): Promise<string[]> {
  const wrong: string[] = [];
  const random = new Random(SEED + round);
  const victims = random.pick(VICTIMS);
  const options = { steps: STEPS, firstStep: round * STEPS, syncEvery: SYNC_EVERY };
  const works = {
    one: startWorkload(hosts.client1.mountPoint, "one", options),
    two: startWorkload(hosts.client2.mountPoint, "two", options),
    local: startWorkload(world.exportDir, "local", options),
  };
  await works[random.pick(["one", "two"] as const)].reached(5 + random.below(STEPS - 10));
  console.log(`round ${round}: kills ${victims.join(", ")}`);
  await Promise.all(victims.map((victim) => hosts[victim].kill()));
  for (const author of ["one", "two", "local"] as const) {
    const work = works[author];
    const host = AUTHORS[author];
    // A client that lives goes on, with or without the server.
    const isDead = host !== undefined && victims.some((victim) => victim === host);
    // oxlint-disable-next-line no-await-in-loop -- all of them run
    const failure = await work.ended;
    if (!isDead && failure !== undefined) wrong.push(`${author}: ${failure}`);
    closed[author] = withSteps(closed[author], work.done, round * STEPS + work.done.length);
  }
  for (const victim of victims) {
    // oxlint-disable-next-line no-await-in-loop -- one after another, as machines come up
    await restart(world, hosts, victim);
    // At once, before the other hosts could have brought it back.
    if (victim === "client1") wrong.push(...lostTexts(hosts.client1.mountPoint, "one", closed.one));
    if (victim === "client2") wrong.push(...lostTexts(hosts.client2.mountPoint, "two", closed.two));
  }
  return wrong;
}

async function restart(world: World, hosts: Hosts, victim: keyof Hosts): Promise<void> {
  switch (victim) {
    case "server":
      hosts.server = await world.serve();
      return;
    case "client1":
      hosts.client1 = await world.mount("client1", "on-demand");
      return;
    case "client2":
      hosts.client2 = await world.mount("client2", "replica");
  }
}

/** The step that was never finished may have left anything in its file. */
function withSteps(
  before: readonly WorkloadStep[],
  done: readonly WorkloadStep[],
  tornStep: number,
): WorkloadStep[] {
  const isTorn = done.length < STEPS;
  const torn = workloadFile(tornStep);
  return [...before, ...done].filter(({ path }) => !isTorn || basename(path) !== torn);
}

async function compareHosts(world: World, hosts: Hosts, closed: Closed): Promise<void> {
  const { server, client1, client2 } = hosts;
  const unlogged = async (): Promise<string[]> =>
    diffManifests(await treeManifest(world.exportDir), replayManifest(world.exportDir));
  await settle(server, client1, client2);
  // What was written straight into the export becomes records once it was quiet.
  await vi.waitFor(async () => expect(await unlogged()).toEqual([]), { timeout: LOGGED_MS });
  await settle(server, client1, client2);
  expect(await differences(world, [client1, client2])).toEqual([]);
  for (const directory of [world.exportDir, client1.mountPoint, client2.mountPoint]) {
    for (const author of ["one", "two", "local"] as const)
      expect(lostTexts(directory, author, closed[author])).toEqual([]);
  }
  // Nobody wrote where another did: a conflict copy would be of something that was half done.
  const names = [...(await treeManifest(world.exportDir)).keys()];
  expect(names.filter((name) => name.includes(".conflict-"))).toEqual([]);
  // What a client was told once, the server has: else it would have found another log.
  for (const { cacheDir } of [client1, client2])
    expect(readFileSync(join(cacheDir, "mount.log"), "utf8")).not.toMatch(
      /"code":"(log|peer)-diverged"/,
    );
  expect(await verifyHosts(world, [client1, client2])).toEqual([]);
}
