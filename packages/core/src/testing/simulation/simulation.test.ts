import { describe, expect, it } from "vitest";

import { MUTATIONS } from "./mutation.ts";
import { planHistory } from "./plan.ts";
import { DEFAULT_SIZE, explain, simulate, type SimulationSize } from "./simulate.ts";
import { runOnWorkers } from "./worker-pool.ts";

/** Nightly: `pnpm sim --histories 20000`; here as many as every change has to pass. */
const HISTORIES = Number(process.env["IZO_SIM_HISTORIES"] ?? 500);

/** Beyond the first ones: each has found an error once, most of them in a nightly run. */
const FOUND_ERRORS = [706, 1084, 3594, 5700, 6263, 7210, 8654, 9022, 11336, 15515];

/** A mutation has to be noticed within this many histories. */
const HISTORIES_TO_NOTICE = 200;

describe("simulation of one server and three clients", () => {
  it(`keeps promises 2 to 5 in ${HISTORIES} random histories [C5] [C6] [S1] [P1] [P2] [D3]`, async () => {
    const failed: number[] = [];
    const options = { first: 1, histories: HISTORIES, workers: 2, size: DEFAULT_SIZE };
    await runOnWorkers(options, ({ failedSeeds }) => failed.push(...failedSeeds));
    const [seed] = failed;
    const finding = seed === undefined ? null : await explain(seed, DEFAULT_SIZE);
    expect(finding, `pnpm sim --seed ${seed}`).toBeNull();
  }, 900_000);

  it.each(FOUND_ERRORS)(
    "keeps them in the history of seed %i, which has found an error",
    async (seed) => {
      expect((await simulate(seed, DEFAULT_SIZE)).violations).toEqual([]);
    },
  );

  it("replays a seed exactly", async () => {
    expect(await simulate(7, DEFAULT_SIZE)).toEqual(await simulate(7, DEFAULT_SIZE));
  });

  it("plans as many operations of programs as it is asked for", () => {
    const kinds = planHistory({ ...DEFAULT_SIZE, seed: 1 }).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "program")).toHaveLength(200);
    expect(new Set(kinds).size).toBeGreaterThan(10);
  });

  it.each(MUTATIONS)(
    `notices within ${HISTORIES_TO_NOTICE} histories: %s`,
    async (mutation) => {
      const seed = await firstSeed(HISTORIES_TO_NOTICE, { ...DEFAULT_SIZE, mutation });
      expect(seed, "no seed noticed it").toBeDefined();
    },
    120_000,
  );

  it("tells a shorter story of what went wrong", async () => {
    const size = { ...DEFAULT_SIZE, mutation: "no base check of a content" } as const;
    const seed = await firstSeed(HISTORIES_TO_NOTICE, size);
    const finding = (await explain(seed!, size))!;
    expect(finding.shortSteps).toBeLessThan(finding.steps / 4);
    expect(finding.violations[0]).toContain("promise");
  }, 120_000);
});

/** The first seed whose history breaks a promise, or undefined. */
async function firstSeed(histories: number, size: SimulationSize): Promise<number | undefined> {
  for (let seed = 1; seed <= histories; seed += 1) {
    const { violations } = await simulate(seed, size);
    if (violations.length > 0) return seed;
  }
  return undefined;
}
