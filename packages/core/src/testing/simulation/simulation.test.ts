import { describe, expect, it } from "vitest";

import { runHistory } from "./history.ts";
import { MUTATIONS } from "./mutation.ts";

const HISTORIES = Number(process.env["IZO_SIM_HISTORIES"] ?? 500);

describe("simulation of one server and three clients", () => {
  it(`keeps promises 3 to 5 in ${HISTORIES} random histories [C5] [P1] [P2] [D3]`, () => {
    for (let seed = 1; seed <= HISTORIES; seed += 1) {
      const { violations, story } = runHistory({ seed });
      expect(violations, `seed ${seed}\n${story.join("\n")}`).toEqual([]);
    }
  }, 120_000);

  it("replays a seed exactly", () => {
    expect(runHistory({ seed: 7 })).toEqual(runHistory({ seed: 7 }));
  });

  for (const mutation of MUTATIONS) {
    it(`catches within 200 histories: ${mutation}`, () => {
      const caught = Array.from({ length: 200 }, (_, index) => index + 1).find(
        (seed) => runHistory({ seed, mutation }).violations.length > 0,
      );
      expect(caught, "no seed noticed it").toBeDefined();
    });
  }
});
