import { mkdirSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createWorld, differences, settle, type World } from "../hosts/world.ts";
import { buildCaller, CallerProcess } from "./caller-process.ts";
import { runInLockstep } from "./lockstep.ts";
import { history } from "./random-calls.ts";

const SECONDS = Number(process.env["IZO_E2E_POSIX_SECONDS"] ?? 8);
const SEED = Number(process.env["IZO_E2E_SEED"] ?? 20_021_024);

/**
 * Histories of random calls on a plain directory and on a mount at once. A history that differs is made
 * shorter as far as it still does. `IZO_E2E_POSIX_SECONDS=1800` for a long run, `IZO_E2E_SEED` for another.
 */
describe("random calls on a plain directory and on a mount", () => {
  let world: World;
  let program: string[];

  beforeAll(async () => {
    world = await createWorld();
    program = await buildCaller(world.directory);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  test(
    `have the same answers and leave the same state (seed ${SEED})`,
    async () => {
      const server = await world.serve();
      const mount = await world.mount("client1", "on-demand", "--driver", "kernel");
      const plain = join(world.directory, "plain");
      const mounted = join(mount.mountPoint, "random");
      for (const directory of [plain, mounted]) mkdirSync(directory);
      using plainObserver = new CallerProcess(program);
      using mountObserver = new CallerProcess(program);
      let count = 0;
      const property = fc.asyncProperty(history, async (calls) => {
        const name = `history-${(count += 1)}`;
        const difference = await runInLockstep(
          program,
          { directory: join(plain, name), observer: plainObserver },
          { directory: join(mounted, name), observer: mountObserver },
          calls,
        );
        expect(difference).toBeUndefined();
      });
      await fc.assert(property, {
        seed: SEED,
        numRuns: Number.MAX_SAFE_INTEGER,
        interruptAfterTimeLimit: SECONDS * 1_000,
        markInterruptAsFailure: false,
      });
      await settle(server, mount);
      expect(await differences(world, [mount], "random")).toEqual([]);
    },
    SECONDS * 1_000 + 300_000,
  );
});
