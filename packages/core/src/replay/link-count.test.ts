import fc from "fast-check";
import { expect, it } from "vitest";

import { type Oid, type Recno, ROOT_OID } from "../kml/identity.ts";
import { parseName } from "../kml/name.ts";
import { linkCount } from "./link-count.ts";
import { MemoryState } from "./memory-state.ts";
import { OverlayState } from "./overlay-state.ts";

const OIDS = ["a1", "b2"].map((byte) => byte.repeat(16) as Oid);
const name = fc.constantFrom("a", "b", "c", "d").map((text) => parseName(text));
const change = fc.record({ name, oid: fc.constantFrom(...OIDS, null), isBelow: fc.boolean() });

it("linkCount() says of names over others what links() lists, however far it counts", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const base = new MemoryState();
      const overlay = new OverlayState(base);
      for (const { name: changed, oid, isBelow } of changes) {
        const state = isBelow ? base : overlay;
        if (oid === null) state.removeEntry(ROOT_OID, changed);
        else state.putEntry({ parent: ROOT_OID, name: changed, oid, version: 1 as Recno });
      }
      for (const oid of OIDS) {
        const { length } = overlay.links(oid);
        for (const most of [1, 2, 9]) {
          expect(linkCount(overlay, oid, most)).toBe(Math.min(length, most));
          expect(linkCount(base, oid, most)).toBe(Math.min(base.links(oid).length, most));
        }
      }
    }),
    { numRuns: 300 },
  );
});
