import fc from "fast-check";
import { expect, test } from "vitest";

import type { Recno } from "../kml/identity.ts";
import { RecnoMap } from "./recno-map.ts";

const recnos = fc.integer({ min: 1, max: 5000 }) as fc.Arbitrary<Recno>;

test("RecnoMap answers as a Map does", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(recnos, recnos)), fc.array(recnos), (pairs, asked) => {
      const [dense, map] = [new RecnoMap(), new Map(pairs)];
      for (const [recno, value] of pairs) dense.set(recno, value);
      for (const recno of [...asked, ...map.keys()]) expect(dense.get(recno)).toBe(map.get(recno));
    }),
  );
});

test("RecnoMap has room for the largest numbers", () => {
  const map = new RecnoMap();
  map.set((Number.MAX_SAFE_INTEGER - 1) as Recno, Number.MAX_SAFE_INTEGER as Recno);
  expect(map.get((Number.MAX_SAFE_INTEGER - 1) as Recno)).toBe(Number.MAX_SAFE_INTEGER);
  expect(map.get(Number.MAX_SAFE_INTEGER as Recno)).toBeUndefined();
});
