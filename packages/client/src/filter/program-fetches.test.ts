import type { Oid } from "@izo/core";
import { beforeEach, describe, expect, test } from "vitest";

import { ErrnoError } from "../fuse/errno.ts";
import { MOST_WAITING, ProgramFetches } from "./program-fetches.ts";

const FILE = "0".repeat(32) as Oid;

const noReads = {
  arrive: () => Promise.resolve(undefined),
  whenHere: () => Promise.resolve(),
  closeReader: () => {},
};

let isServerThere = false;
let fetched = 0;
let abort: AbortController;
let fetches: ProgramFetches;

beforeEach(() => {
  isServerThere = false;
  fetched = 0;
  abort = new AbortController();
  fetches = new ProgramFetches({
    fetcher: {
      ...noReads,
      fetch: () => {
        if (!isServerThere) return Promise.reject(new ErrnoError("EHOSTUNREACH", "away"));
        fetched += 1;
        return Promise.resolve();
      },
    },
    isServerThere: () => isServerThere,
    signal: abort.signal,
  });
});

/** What became of a fetch, once it ends. */
function outcomeOf(fetch: Promise<void>): Promise<string> {
  return fetch.then(
    () => "fetched",
    (error: unknown) => (error as { code: string }).code,
  );
}

/** Lets everything run that does not wait for a timer or for us. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("[C8] ProgramFetches.fetch() without a server", () => {
  test("fails at once under the policy fail", async () => {
    expect(await outcomeOf(fetches.fetch(FILE))).toBe("EHOSTUNREACH");
    expect(fetches.waiting).toBe(0);
  });

  test("waits under the policy wait until the server is back", async () => {
    fetches.setPolicy("wait");
    const outcome = outcomeOf(fetches.fetch(FILE));
    await settle();
    fetches.noteConnection();
    await settle();
    expect({ waiting: fetches.waiting, fetched }).toEqual({ waiting: 1, fetched: 0 });
    isServerThere = true;
    fetches.noteConnection();
    expect(await outcome).toBe("fetched");
    expect({ waiting: fetches.waiting, fetched }).toEqual({ waiting: 0, fetched: 1 });
  });

  test("stops waiting when the policy becomes fail", async () => {
    fetches.setPolicy("wait");
    const outcome = outcomeOf(fetches.fetch(FILE));
    await settle();
    fetches.setPolicy("fail");
    expect(await outcome).toBe("EHOSTUNREACH");
  });

  test("stops waiting when the mount goes away", async () => {
    fetches.setPolicy("wait");
    const outcome = outcomeOf(fetches.fetch(FILE));
    await settle();
    abort.abort();
    expect(await outcome).toBe("EHOSTUNREACH");
  });

  test("lets no more programs wait than leave room for others", async () => {
    fetches.setPolicy("wait");
    const outcomes = Array.from({ length: MOST_WAITING }, () => outcomeOf(fetches.fetch(FILE)));
    await settle();
    expect(fetches.waiting).toBe(MOST_WAITING);
    expect(await outcomeOf(fetches.fetch(FILE))).toBe("EHOSTUNREACH");
    isServerThere = true;
    fetches.noteConnection();
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(["fetched"]));
  });
});

test("ProgramFetches.fetch() hands on what is not about the server", async () => {
  fetches = new ProgramFetches({
    fetcher: { ...noReads, fetch: () => Promise.reject(new ErrnoError("EIO", "wrong bytes")) },
    isServerThere: () => true,
    signal: abort.signal,
  });
  fetches.setPolicy("wait");
  expect(await outcomeOf(fetches.fetch(FILE))).toBe("EIO");
});
