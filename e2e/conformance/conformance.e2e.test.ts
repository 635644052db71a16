import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { tryIzo } from "../hosts/cli.ts";
import type { MountProcess } from "../hosts/mount-process.ts";
import { plainUser } from "../hosts/plain-user.ts";
import type { ServerProcess } from "../hosts/server-process.ts";
import { createWorld, differences, settle, type World } from "../hosts/world.ts";
import { allCases, casesBesideTables, casesOfOneUser } from "./all-cases.ts";
import { buildCaller } from "./caller-process.ts";
import { DIVERGENCES } from "./divergences.ts";
import { firstDifference, runCases, type StepRecord, unexpectedAnswers } from "./run-cases.ts";

/** Against a hang, and not against a machine that does much else. */
const SUITE_MS = 600_000;

/** What each driver is asked; the one that mounts take by default is asked everything. */
const CASES = { kernel: allCases(), "fuse-native": casesBesideTables() };

/** Every case on a plain directory, and the same on a mount with each driver: errno and state after every step. */
describe("conformance of a mount with a plain directory", () => {
  let world: World;
  let server: ServerProcess;
  let program: string[];
  let expected: Map<string, StepRecord[]>;

  beforeAll(async () => {
    world = await createWorld();
    server = await world.serve();
    program = await buildCaller(world.directory);
    const plain = join(world.directory, "plain");
    mkdirSync(plain);
    expected = await runCases(program, plain, CASES.kernel);
  }, SUITE_MS);

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  test("a plain directory answers as the cases state", () => {
    expect(unexpectedAnswers(expected)).toEqual([]);
  });

  test.for([
    ["kernel", "client1"],
    ["fuse-native", "client2"],
  ] as const)(
    "a mount by the driver %s is as one, but for what is documented",
    { timeout: SUITE_MS },
    async ([driver, client]) => {
      await using mount = await world.mount(client, "on-demand", "--driver", driver);
      const found = await runCasesOn(mount, driver);
      expectDocumented(driver, differing(expected, found));
      // Whatever was done is logged as it was done: the server has the same tree.
      await settle(server, mount);
      // By paths, the kernel believes the link count of another name for a while.
      await expect
        .poll(() => differences(world, [mount], driver), { timeout: SUITE_MS, interval: 3_000 })
        .toEqual([]);
    },
  );

  test(
    "what is ignored on a mount is as on one, and nothing of it is on the server",
    { timeout: SUITE_MS },
    async () => {
      const ignoring = ["--ignore", "/ignored/*/*"] as const;
      await using mount = await world.mount("client2", "on-demand", ...ignoring);
      const directory = join(mount.mountPoint, "ignored");
      mkdirSync(directory);
      const found = await runCases(program, directory, CASES.kernel);
      expectDocumented("ignored", differing(expected, found));
      await settle(server, mount);
      const made = readdirSync(join(world.exportDir, "ignored"), { recursive: true });
      expect(made).toHaveLength(CASES.kernel.length);
    },
  );

  test(
    "a mount without root is as a directory of its user, but for what is documented",
    { timeout: SUITE_MS },
    async () => {
      using user = plainUser(world.directory);
      chmodSync(world.exportDir, 0o777);
      await using mount = await user.mount(world.client1, server.url);
      const plain = join(world.directory, "plain-of-user");
      user.mkdir(plain);
      await user.must(`mkdir '${mount.mountPoint}/user'`);
      const cases = casesOfOneUser();
      const command = user.as(program);
      const ofPlain = await runCases(command, plain, cases);
      const found = await runCases(command, join(mount.mountPoint, "user"), cases);
      expectDocumented("without root", differing(ofPlain, found));
      await mount.flush();
      const verified = await tryIzo(["verify", mount.mountPoint], { prefix: user.as });
      expect(verified).toMatchObject({ status: 0, stdout: expect.stringContaining("all agree") });
    },
  );

  function runCasesOn({ mountPoint }: MountProcess, driver: keyof typeof CASES) {
    const directory = join(mountPoint, driver);
    mkdirSync(directory);
    return runCases(program, directory, CASES[driver]);
  }
});

/** Cases whose records differ, each with its first difference. */
function differing(
  expected: ReadonlyMap<string, readonly StepRecord[]>,
  found: ReadonlyMap<string, readonly StepRecord[]>,
): Map<string, string> {
  const byName = new Map<string, string>();
  for (const [name, records] of found) {
    const difference = firstDifference(expected.get(name)!, records);
    if (difference !== undefined) byName.set(name, difference);
  }
  return byName;
}

function expectDocumented(
  mount: keyof typeof DIVERGENCES,
  found: ReadonlyMap<string, string>,
): void {
  const documented = DIVERGENCES[mount];
  const surprises = [...found].filter(([name]) => !documented.has(name));
  expect(surprises.map(([name, difference]) => `${name}: ${difference}`)).toEqual([]);
  // One that is gone has to be taken off the list.
  expect([...documented.keys()].filter((name) => !found.has(name))).toEqual([]);
}
