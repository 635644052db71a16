import { describe, expect, test } from "vitest";

import type { Recno } from "../kml/identity.ts";
import {
  HOLDER_TRANSITIONS,
  type HolderEvent,
  type HolderName,
  type HolderState,
  mayChange,
  mayFinish,
  nextHolder,
  NO_PERMIT,
} from "./permit-holder.ts";
import type { Epoch } from "./permit.ts";

const answer = {
  epoch: 5 as Epoch,
  sentMs: 1_000,
  leaseMs: 60_000,
  recno: 41 as Recno,
  isWanted: false,
};

/** The state after these events. */
function after(...events: HolderEvent[]): HolderState {
  return events.reduce(nextHolder, NO_PERMIT);
}

const asked = { type: "asked" } as const;
const granted = { type: "granted", ...answer } as const;
const replayed = { type: "replayed", recno: 41 as Recno } as const;
const held = after(asked, granted, replayed);

describe("nextHolder()", () => {
  test("changes nothing before the log is replayed up to the grant", () => {
    const behind = after(asked, granted, { type: "replayed", recno: 40 as Recno });
    expect(behind.name).toBe("arriving");
    expect(mayChange(behind, 2_000)).toBe(false);
    expect(mayChange(held, 2_000)).toBe(true);
  });

  test("ends a lease a tenth before the server, counted from the request", () => {
    expect(mayChange(held, 54_999)).toBe(true);
    expect(mayChange(held, 55_000)).toBe(false);
    expect(mayFinish(held, 55_000)).toBe(false);
  });

  test("goes on with a lease that was over", () => {
    const renewed = nextHolder(held, { type: "renewed", ...answer, sentMs: 70_000 });
    expect(mayChange(renewed, 80_000)).toBe(true);
  });

  test("lets what is open be finished when somebody else asks, and nothing after that", () => {
    const wanted = nextHolder(held, { type: "renewed", ...answer, isWanted: true });
    expect(wanted.name).toBe("returning");
    expect(mayChange(wanted, 2_000)).toBe(false);
    expect(mayFinish(wanted, 2_000)).toBe(true);
    expect(mayFinish(nextHolder(wanted, { type: "finished" }), 2_000)).toBe(false);
  });

  test("does not take up again what it is about to hand back", () => {
    const leaving = after(asked, granted, replayed, { type: "released" }, { type: "finished" });
    const renewed = nextHolder(leaving, { type: "renewed", ...answer, isWanted: true });
    expect(renewed.name).toBe("leaving");
    expect(mayFinish(renewed, 2_000)).toBe(false);
  });

  test.each<{ description: string; event: HolderEvent }>([
    { description: "the end of an earlier grant", event: { type: "passed-on", epoch: 4 as Epoch } },
    {
      description: "the renewal of an earlier grant",
      event: { type: "renewed", ...answer, epoch: 4 as Epoch, sentMs: 90_000 },
    },
  ])("ignores $description", ({ event }) => {
    expect(nextHolder(held, event)).toBe(held);
  });

  test("ignores a grant that is not asked for any more", () => {
    expect(after(asked, { type: "released" }, granted)).toEqual(NO_PERMIT);
  });

  const NAMES = Object.keys(HOLDER_TRANSITIONS) as HolderName[];
  const EVENTS: readonly HolderEvent[] = [
    asked,
    granted,
    { type: "renewed", ...answer },
    replayed,
    { type: "released" },
    { type: "finished" },
    { type: "handed-back", epoch: 5 as Epoch },
    { type: "passed-on", epoch: 5 as Epoch },
  ];

  test.each(NAMES)("comes from %s to what its table says, with every event", (name) => {
    const state = name === "free" ? NO_PERMIT : { ...held, name };
    const row = EVENTS.map((event) => [event.type, nextHolder(state, event).name]);
    expect(Object.fromEntries(row)).toEqual(HOLDER_TRANSITIONS[name]);
  });
});
