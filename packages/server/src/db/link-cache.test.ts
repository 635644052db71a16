import { type Entry, type Name, type Oid, parseName, type Recno } from "@izo/core";
import fc from "fast-check";
import { expect, test } from "vitest";

import { LinkCache } from "./link-cache.ts";

const OIDS = ["a", "b", "c"].map((letter) => letter.repeat(32) as Oid);
const NAMES = ["x", "y", "z"].map((name) => parseName(name));
const PARENT = "d".repeat(32) as Oid;

const steps = fc.array(
  fc.record({
    oid: fc.constantFrom(...OIDS),
    name: fc.constantFrom(...NAMES),
    what: fc.constantFrom("name", "remove", "ask"),
  }),
);

test("LinkCache knows the names that an object has now, in the order in which it got them", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const cache = new LinkCache();
      const table = new Map<Name, Entry>();
      const linksOf = (oid: Oid): Entry[] => [...table.values()].filter((one) => one.oid === oid);
      for (const [index, { oid, name, what }] of all.entries()) {
        if (what === "ask") {
          cache.put(oid, cache.get(oid) ?? linksOf(oid));
          continue;
        }
        table.delete(name);
        if (what === "remove") {
          cache.remove(PARENT, name);
          continue;
        }
        const entry = { parent: PARENT, name, oid, version: (index + 1) as Recno };
        table.set(name, entry);
        cache.add(entry);
      }
      for (const oid of OIDS) expect(cache.get(oid) ?? linksOf(oid)).toEqual(linksOf(oid));
    }),
  );
});
