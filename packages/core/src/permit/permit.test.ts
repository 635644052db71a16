import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  DIRECTORIES,
  type PermitAction,
  type PermitFaults,
  PermitWorld,
} from "../testing/permit/permit-world.ts";
import { MARGIN_SHARE } from "./permit.ts";

const CLIENTS = 3;
const client = fc.nat(CLIENTS - 1);
const at = fc.nat(DIRECTORIES.length - 1);
const message = fc.nat(20);

const action: fc.Arbitrary<PermitAction> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant("pass" as const), ms: fc.nat(6_000) }) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant("ask" as const), client, at }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant("send" as const), client, at }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant("exchange" as const), client, at }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("replay" as const), client, at }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom("release" as const, "finish"), client, at }),
  },
  { weight: 14, arbitrary: fc.record({ type: fc.constant("deliver" as const), message }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constantFrom("lose" as const, "repeat"), message }),
  },
  { weight: 1, arbitrary: fc.constant({ type: "restart-server" as const }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("restart-client" as const), client }) },
);

/** Clocks that run up to 4 % fast or slow. */
const rates = fc.array(fc.integer({ min: 96, max: 104 }), {
  minLength: CLIENTS,
  maxLength: CLIENTS,
});
const actions = fc.array(action, { minLength: 60, maxLength: 200, size: "max" });

/** What went wrong first in a history, or null. */
function violationOf(
  percents: readonly number[],
  story: readonly PermitAction[],
  faults?: PermitFaults,
): string | null {
  const world = new PermitWorld(
    percents.map((percent) => percent / 100),
    faults,
  );
  for (const each of story) {
    world.act(each);
    const violation = world.violation();
    if (violation !== null) return violation;
  }
  return null;
}

describe("permits between a server and three clients", () => {
  test("never have two holders of what overlaps, and end at the holder before the server", () => {
    fc.assert(
      fc.property(rates, actions, (percents, story) => {
        expect(violationOf(percents, story)).toBeNull();
      }),
      { numRuns: 3_000 },
    );
  });

  test("are held in most of these histories", () => {
    let held = 0;
    fc.assert(
      fc.property(rates, actions, (percents, story) => {
        const world = new PermitWorld(percents.map((percent) => percent / 100));
        let most = 0;
        for (const each of story) {
          world.act(each);
          most = Math.max(most, world.heldCount);
        }
        if (most > 0) held += 1;
      }),
      { numRuns: 300, seed: 7 },
    );
    expect(held).toBeGreaterThan(200);
  });

  test.each<{ description: string; faults: PermitFaults }>([
    { description: "a holder that leaves no margin", faults: { overstayShare: MARGIN_SHARE } },
    { description: "a server that forgets when it restarts", faults: { forgetsOnRestart: true } },
    { description: "a server that sees no nesting", faults: { ignoresNesting: true } },
  ])("$description is noticed", ({ faults }) => {
    const found = fc.check(
      fc.property(rates, actions, (percents, story) => {
        expect(violationOf(percents, story, faults)).toBeNull();
      }),
      { numRuns: 20_000, endOnFailure: true },
    );
    expect(found.failed).toBe(true);
  });
});
