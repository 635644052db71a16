import { IzoError, type PeerId, type PermitLease, type PermitRequest, ROOT_OID } from "@izo/core";
import { afterEach, beforeEach, expect, test } from "vitest";

import { HeldPermit, type PermitWant } from "./held-permit.ts";

const LASTING: PermitWant = { asksBack: false, isLasting: true };
const TAKEN: PermitWant = { asksBack: true, isLasting: false };

/** A server with one permit, as its holder sees it; what it is asked is noted. */
let asked: string[] = [];
let isWanted = false;
let isHeldByOther = false;
let epoch = 0;
/** Pushing takes until this is resolved. */
let flushed: PromiseWithResolvers<void>;
let permit: HeldPermit;

beforeEach(() => {
  asked = [];
  isWanted = isHeldByOther = false;
  epoch = 0;
  flushed = Promise.withResolvers();
  flushed.resolve();
  permit = new HeldPermit(ROOT_OID, {
    remote: { permit: answer },
    hostName: "host",
    peer: () => "a".repeat(32) as PeerId,
    clockMs: () => performance.now(),
    nowMs: () => 0,
    random: () => 0,
    mayAsk: () => true,
    replayTo: async () => {},
    flush: () => flushed.promise,
    hasWriterBelow: () => false,
    noteGrant: () => {},
    noteEnd: () => {},
  });
});

afterEach(() => permit.stop());

async function answer(request: PermitRequest): Promise<PermitLease | null> {
  const { action } = request;
  const isAskedBack = action === "take" && request.waitSeconds > 0;
  asked.push(isAskedBack ? "take it back" : action);
  await new Promise((resolve) => setTimeout(resolve, 5));
  if (action === "hand-back") {
    // Who asked for it has it at once.
    isHeldByOther = isWanted;
    isWanted = false;
    asked = [];
    return null;
  }
  if (action === "take") {
    if (isHeldByOther) throw new IzoError("permit-held", "Cannot grant the permit");
    epoch += 1;
  }
  return {
    oid: ROOT_OID,
    epoch: epoch as PermitLease["epoch"],
    leaseMs: 1_000,
    recno: 1 as PermitLease["recno"],
    isWanted,
  };
}

const soon = (): AbortSignal => AbortSignal.timeout(10_000);

/** Somebody else asks for the permit, and gets it; from then on it is noted what is asked. */
async function passToOther(): Promise<void> {
  isWanted = true;
  await expect.poll(() => isHeldByOther, { interval: 5 }).toBe(true);
}

test("a permit that lasts is asked for again when it was handed back, and its holder is left alone", async () => {
  permit.ask({ ...LASTING, asksBack: true });
  await permit.untilHeld(soon());
  expect(asked[0]).toBe("take it back");
  await passToOther();
  await expect.poll(() => asked).toContain("take");
  expect(asked).not.toContain("take it back");
});

test("a permit that was taken once is not asked for again", async () => {
  permit.ask(TAKEN);
  await permit.untilHeld(soon());
  permit.ask(TAKEN);
  await passToOther();
  await permit.untilFree(soon());
  expect(asked).toEqual([]);
});

test("a permit that is taken while it is handed back is taken as soon as that is done", async () => {
  permit.ask(TAKEN);
  await permit.untilHeld(soon());
  flushed = Promise.withResolvers();
  permit.release();
  permit.ask(TAKEN);
  expect(permit.state.name).toBe("returning");
  flushed.resolve();
  await permit.untilHeld(soon());
  expect(asked[0]).toBe("take it back");
  expect(permit.state.epoch).toBe(2);
});
