import fc from "fast-check";
import { expect, test } from "vitest";

import type { PeerId, Recno } from "../kml/identity.ts";
import type { Base } from "../kml/operation.ts";
import { OwnBases } from "./own-bases.ts";

const PEER = "a1".repeat(16) as PeerId;
const FORMER = "b2".repeat(16) as PeerId;

const own = (recno: number): Base => ({ peer: PEER, recno: recno as Recno });

/** What becomes of each own record in turn: nothing yet, sent, or dropped onto what was before it. */
const fates = fc.array(
  fc.oneof(
    fc.constant("waits" as const),
    fc.constant("sent" as const),
    fc.nat().map((below) => ({ below })),
    fc.constantFrom(0, 7, Number.MAX_SAFE_INTEGER).map((server) => ({ server })),
    fc.nat().map((former) => ({ former })),
  ),
  { maxLength: 40 },
);

test("OwnBases.follow() names an own record as it was sent, and what was dropped as what is below it", () => {
  fc.assert(
    fc.property(fates, (each) => {
      const bases = new OwnBases(PEER);
      const known = new Map<number, Base>();
      const expected = (base: Base): Base =>
        typeof base !== "number" && base.peer === PEER ? (known.get(base.recno) ?? base) : base;
      for (const [index, fate] of each.entries()) {
        const recno = (index + 1) as Recno;
        if (fate === "waits") continue;
        if (fate === "sent") {
          bases.noteSent(recno, (recno + 1000) as Recno);
          known.set(recno, own(recno + 1000));
          continue;
        }
        const below: Base =
          "server" in fate
            ? (fate.server as Recno)
            : "former" in fate
              ? { peer: FORMER, recno: (fate.former + 1) as Recno }
              : own((fate.below % recno) + 1);
        if (typeof below !== "number" && below.peer === PEER && below.recno === recno) continue;
        bases.noteDropped(recno, below);
        known.set(recno, expected(below));
      }
      for (let recno = 1; recno <= each.length + 1; recno += 1)
        expect(bases.follow(own(recno))).toEqual(expected(own(recno)));
    }),
  );
});

test("OwnBases.follow() leaves alone what is not an own record", () => {
  const bases = new OwnBases(PEER);
  bases.noteSent(5 as Recno, 9 as Recno);
  const former = { peer: FORMER, recno: 5 as Recno };
  expect(bases.follow(former)).toBe(former);
  expect(bases.follow(5 as Recno)).toBe(5);
});
