import { describe, expect, test } from "vitest";

import { ROOT_OID, type Oid, type PeerId } from "../kml/identity.ts";
import {
  handBackPermit,
  isCurrentFence,
  NO_PERMITS,
  type PermitContext,
  type PermitTable,
  renewPermit,
  restorePermits,
  takePermit,
} from "./permit-table.ts";
import type { Epoch } from "./permit.ts";

const ANNE = { peer: "a".repeat(32) as PeerId, host: "anne" };
const BERT = { peer: "b".repeat(32) as PeerId, host: "bert" };
const CLEO = { peer: "c".repeat(32) as PeerId, host: "cleo" };
const DIRECTORY = "d".repeat(32) as Oid;
const OTHER = "e".repeat(32) as Oid;
const first = { oid: ROOT_OID, epoch: 1 as Epoch };

/** The root holds everything; the two directories are apart. */
function at(nowMs: number, areMovedTogether = false): PermitContext {
  return {
    nowMs,
    termMs: 60_000,
    graceMs: 30_000,
    overlaps: (a, b) => a === b || a === ROOT_OID || b === ROOT_OID || areMovedTogether,
  };
}

function take(table: PermitTable, who: typeof ANNE, oid: Oid, nowMs: number, waitMs = 5_000) {
  return takePermit(table, { ...who, oid }, waitMs, at(nowMs));
}

/** Anne holds everything from 0 on. */
const held = take(NO_PERMITS, ANNE, ROOT_OID, 0).table;

describe("takePermit()", () => {
  test("grants what nobody holds, with a new number", () => {
    expect(held).toMatchObject({ lastEpoch: 1, grants: [{ ...first, expiresMs: 60_000 }] });
  });

  test("grants directories that are apart to two", () => {
    const one = take(NO_PERMITS, ANNE, DIRECTORY, 0).table;
    expect(take(one, BERT, OTHER, 1)).toMatchObject({ grant: { epoch: 2, ...BERT } });
  });

  test.each([
    { description: "above", heldOid: DIRECTORY, askedOid: ROOT_OID },
    { description: "below", heldOid: ROOT_OID, askedOid: DIRECTORY },
  ])("refuses what is $description what somebody else holds", ({ heldOid, askedOid }) => {
    const one = take(NO_PERMITS, ANNE, heldOid, 0).table;
    expect(take(one, BERT, askedOid, 1)).toMatchObject({ heldBy: ANNE });
  });

  test("asks the holder, or leaves him alone", () => {
    const [grant] = take(held, BERT, ROOT_OID, 1_000).table.grants;
    expect(grant).toMatchObject({ ...ANNE, wish: { ...BERT, sinceMs: 1_000, untilMs: 9_000 } });
    expect(take(held, BERT, ROOT_OID, 1_000, 0).table).toBe(held);
  });

  test("passes a lease on as soon as it is over, and not before", () => {
    expect(take(held, BERT, DIRECTORY, 59_999)).toMatchObject({ heldBy: ANNE });
    const { table } = take(held, BERT, DIRECTORY, 60_000);
    expect(table.grants).toMatchObject([{ ...BERT, oid: DIRECTORY, epoch: 2 }]);
    expect(isCurrentFence(table, ANNE.peer, first)).toBe(false);
  });

  test("gives its holder a new number and lets the old one count", () => {
    const { table } = take(held, ANNE, ROOT_OID, 1_000);
    expect(table.grants).toMatchObject([{ epoch: 2, firstEpoch: 1, expiresMs: 61_000 }]);
    expect(isCurrentFence(table, ANNE.peer, first)).toBe(true);
  });
});

describe("renewPermit()", () => {
  test("goes on from now, also when the lease was over", () => {
    for (const nowMs of [10_000, 90_000]) {
      const { grant } = renewPermit(held, ANNE.peer, first, at(nowMs));
      expect(grant?.expiresMs).toBe(nowMs + 60_000);
    }
  });

  test("grows no further than the grace while somebody else asks, and is never cut", () => {
    const asked = take(held, BERT, ROOT_OID, 40_000, 30_000).table;
    const renewed = renewPermit(asked, ANNE.peer, first, at(45_000));
    expect(renewed.grant).toMatchObject({ expiresMs: 70_000, wish: BERT });
    const later = renewPermit(renewed.table, ANNE.peer, first, at(69_000));
    expect(later.grant?.expiresMs).toBe(70_000);
    const early = take(held, BERT, ROOT_OID, 1_000, 30_000).table;
    expect(renewPermit(early, ANNE.peer, first, at(2_000)).grant?.expiresMs).toBe(60_000);
  });

  test("forgets a wish that nobody repeats", () => {
    const asked = take(held, BERT, ROOT_OID, 1_000).table;
    const { grant } = renewPermit(asked, ANNE.peer, first, at(9_000));
    expect(grant).toMatchObject({ expiresMs: 69_000, wish: null });
  });

  test("counts the grace from the first who asked", () => {
    const asked = take(held, BERT, ROOT_OID, 40_000).table;
    const again = take(asked, CLEO, DIRECTORY, 45_000, 20_000).table;
    expect(renewPermit(again, ANNE.peer, first, at(50_000)).grant).toMatchObject({
      expiresMs: 70_000,
      wish: { ...BERT, sinceMs: 40_000 },
    });
  });

  test.each([
    { description: "another peer's", peer: BERT.peer, fence: first },
    { description: "no grant", peer: ANNE.peer, fence: { ...first, epoch: 2 as Epoch } },
    { description: "another directory's", peer: ANNE.peer, fence: { ...first, oid: OTHER } },
  ])("refuses what is $description", ({ peer, fence }) => {
    expect(renewPermit(held, peer, fence, at(1)).grant).toBeNull();
  });

  test("asks for the younger of two that were moved into each other, and ends it", () => {
    const one = take(NO_PERMITS, ANNE, DIRECTORY, 0).table;
    const both = take(one, BERT, OTHER, 10_000).table;
    const second = { oid: OTHER, epoch: 2 as Epoch };
    const asked = renewPermit(both, BERT.peer, second, at(30_000, true));
    expect(asked.grant).toMatchObject({ expiresMs: 70_000, wish: ANNE });
    const elder = renewPermit(
      asked.table,
      ANNE.peer,
      { oid: DIRECTORY, epoch: 1 as Epoch },
      at(31_000, true),
    );
    expect(elder.grant).toMatchObject({ wish: null, expiresMs: 91_000 });
    expect(renewPermit(elder.table, BERT.peer, second, at(75_000, true)).grant).toBeNull();
  });
});

describe("handBackPermit()", () => {
  test("ends the grant at once", () => {
    const free = handBackPermit(held, ANNE.peer, first);
    expect(take(free, BERT, ROOT_OID, 1)).toMatchObject({ grant: BERT });
  });

  test("ends nothing under an old number: it was on its way when the permit was taken again", () => {
    const again = take(held, ANNE, ROOT_OID, 1_000).table;
    expect(handBackPermit(again, ANNE.peer, first)).toBe(again);
  });

  test("ends nothing of somebody else", () => {
    expect(handBackPermit(held, BERT.peer, first)).toBe(held);
  });
});

test("restorePermits() takes every lease for one that has just begun, as long as it was ever promised", () => {
  const restored = restorePermits(held.lastEpoch, held.grants, { nowMs: 7, termMs: 1_000 });
  expect(restored).toMatchObject({
    lastEpoch: 1,
    grants: [{ ...first, ...ANNE, expiresMs: 60_007, wish: null }],
  });
});
