import fc from "fast-check";
import { expect, test } from "vitest";

import { PresenceMap } from "./presence-map.ts";

const SEED = process.env["IZO_PRESENCE_SEED"];
const RUNS = { seed: Number(SEED ?? 1), numRuns: 500 };
const SIZE_BYTES = 40;

const place = fc.integer({ min: 0, max: SIZE_BYTES + 5 });
const adds = fc.array(fc.tuple(place, place), { maxLength: 12 });

/** The map and, byte by byte, what it has to say. */
function build(spans: readonly (readonly [number, number])[]): {
  map: PresenceMap;
  isHere: boolean[];
} {
  const map = new PresenceMap(SIZE_BYTES);
  const isHere = Array.from({ length: SIZE_BYTES }, () => false);
  for (const [start, end] of spans) {
    map.add(start, end);
    for (let at = start; at < Math.min(end, SIZE_BYTES); at += 1) isHere[at] = true;
  }
  return { map, isHere };
}

test("PresenceMap says of each byte whether it was added, in the fewest spans", () => {
  fc.assert(
    fc.property(adds, (spans) => {
      const { map, isHere } = build(spans);
      const shown = Array.from({ length: SIZE_BYTES }, () => false);
      let previousEnd = -1;
      for (const { start, end } of map.spans()) {
        expect(start).toBeGreaterThan(previousEnd);
        expect(end).toBeGreaterThan(start);
        shown.fill(true, start, end);
        previousEnd = end;
      }
      expect(shown).toEqual(isHere);
      expect(map.presentBytes).toBe(isHere.filter(Boolean).length);
      expect(map.isWhole).toBe(isHere.every(Boolean));
    }),
    RUNS,
  );
});

test("PresenceMap.has() and holeFrom() agree with the bytes", () => {
  fc.assert(
    fc.property(adds, place, place, (spans, start, end) => {
      const { map, isHere } = build(spans);
      expect(map.has(start, end)).toBe(isHere.slice(start, end).every(Boolean));
      const first = isHere.indexOf(false, start);
      const hole = map.holeFrom(start);
      expect(hole?.start).toBe(first === -1 ? undefined : first);
      if (hole === undefined) return;
      const next = isHere.indexOf(true, hole.start);
      expect(hole.end).toBe(next === -1 ? SIZE_BYTES : next);
    }),
    RUNS,
  );
});

test("PresenceMap is the same again from its spans", () => {
  fc.assert(
    fc.property(adds, (spans) => {
      const { map } = build(spans);
      const again = new PresenceMap(SIZE_BYTES, map.spans());
      expect([...again.spans()]).toEqual([...map.spans()]);
    }),
    RUNS,
  );
});
