import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  mayPush,
  nextState,
  START,
  TRANSITIONS,
  type ConnectionEvent,
  type ConnectionName,
  type ConnectionState,
} from "./connection.ts";

const names = Object.keys(TRANSITIONS) as ConnectionName[];
const events = Object.keys(TRANSITIONS.offline) as ConnectionEvent[];

const after = (...happened: ConnectionEvent[]): ConnectionState =>
  happened.reduce(nextState, START);

const histories = fc.array(fc.constantFrom(...events), { maxLength: 40 });

describe("nextState()", () => {
  test("[Y1] has a rule for every state and every event", () => {
    for (const name of names) {
      for (const event of events) expect(names).toContain(TRANSITIONS[name][event]);
    }
  });

  test("[Y2] goes from nothing over a snapshot to polling", () => {
    expect(after("connected-empty").name).toBe("bootstrapping");
    expect(after("connected-empty", "tree-adopted").name).toBe("polling");
    expect(after("connected").name).toBe("polling");
  });

  test("[Y3] goes offline from everywhere when the server cannot be reached, and counts it", () => {
    fc.assert(
      fc.property(histories, (history) => {
        const before = after(...history, "released");
        const state = nextState(before, "unreachable");
        expect(state).toMatchObject({ name: "offline", failures: before.failures + 1 });
      }),
    );
  });

  test("[Y4] counts failures until records or a tree arrive, not until the server says who it is", () => {
    expect(after("unreachable", "connected", "unreachable").failures).toBe(2);
    expect(after("unreachable", "connected", "pulled").failures).toBe(0);
  });

  test("[Y4] counts failed pushes until one gets through, however often a poll is answered", () => {
    const failedPush = ["connected", "caught-up", "push-began", "refused"] as const;
    expect(after(...failedPush, ...failedPush).failures).toBe(2);
    const pulling = after(...failedPush, ...failedPush, "connected", "caught-up", "pulled");
    expect(pulling.failures).toBe(2);
    const pushed = ["push-began", "push-ended"] as const;
    expect(pushed.reduce(nextState, pulling)).toMatchObject({ failures: 0, hasPushFailed: false });
    expect(after("connected", "refused", "connected", "caught-up").failures).toBe(0);
  });

  test("[Y5] ignores what comes late while there is no connection", () => {
    for (const late of ["pulled", "push-ended", "log-truncated", "peer-diverged"] as const) {
      expect(after("connected", "unreachable", late).name).toBe("offline");
    }
  });

  test("[Y6] lets nothing be pushed before the log was replayed up to its head on this connection", () => {
    expect(mayPush(after("connected"))).toBe(false);
    expect(mayPush(after("connected", "pulled"))).toBe(false);
    expect(mayPush(after("connected", "caught-up"))).toBe(true);
    expect(mayPush(after("connected", "caught-up", "unreachable", "connected"))).toBe(false);
  });

  test("[Y6] lets a push go on while more is pulled", () => {
    expect(mayPush(after("connected", "caught-up", "push-began", "pulled"))).toBe(true);
  });

  test("[Y7] takes a snapshot when the log was cut off behind the position", () => {
    expect(after("connected", "log-truncated").name).toBe("expired");
    expect(after("connected", "log-truncated", "tree-adopted").name).toBe("polling");
  });

  test("[Y8] stops pushing while diverged, and starts again only behind the head", () => {
    for (const divergence of ["log-diverged", "peer-diverged"] as const) {
      const diverged = after("connected", "caught-up", divergence);
      expect(mayPush(diverged)).toBe(false);
      expect(mayPush(nextState(diverged, "recovered"))).toBe(false);
      expect(mayPush(after("connected", "caught-up", divergence, "recovered", "caught-up"))).toBe(
        true,
      );
    }
  });

  test("[Y9] treats a lost log before a taken id", () => {
    expect(after("connected", "peer-diverged").divergence).toBe("peer");
    expect(after("connected", "peer-diverged", "log-diverged").divergence).toBe("log");
    expect(after("connected", "log-diverged", "peer-diverged").divergence).toBe("log");
    expect(after("connected", "log-diverged", "recovered").divergence).toBeNull();
  });

  test("[Y10] leaves refused when the server is another one", () => {
    expect(after("refused", "connected").name).toBe("polling");
    expect(after("connected", "refused").name).toBe("refused");
  });

  test("[Y12] asks nobody while its user wants no connection, and starts anew at the release", () => {
    fc.assert(
      fc.property(histories, histories, (before, late) => {
        const forced = after(...before, "forced-offline");
        expect(forced).toMatchObject({ name: "offline", isForced: true, failures: 0 });
        const happened = late.filter((event) => event !== "released");
        expect(happened.reduce(nextState, forced)).toEqual(forced);
        expect(nextState(forced, "released")).toEqual(START);
      }),
    );
  });

  test("[Y12] a release of what is not forced changes nothing", () => {
    for (const event of events.filter((each) => each !== "forced-offline")) {
      expect(nextState(after("connected", event), "released")).toEqual(after("connected", event));
    }
  });

  test("names a divergence exactly while it is diverged", () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { name, divergence } = after(...history);
        expect(divergence !== null).toBe(name === "diverged");
      }),
    );
  });
});
