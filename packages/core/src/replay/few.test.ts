import fc from "fast-check";
import { expect, test } from "vitest";

import { Few } from "./few.ts";

const changes = fc.array(
  fc.record({
    isAdded: fc.boolean(),
    value: fc.constantFrom(...Array.from({ length: 13 }, (_, index) => `v${index}`)),
  }),
  { maxLength: 60 },
);

test("Few holds what a Set holds, in its order, through any changes", () => {
  fc.assert(
    fc.property(changes, (steps) => {
      const few = new Few<string>();
      const set = new Set<string>();
      for (const { isAdded, value } of steps) {
        const isNew = isAdded && !set.has(value);
        const isTaken = isAdded && few.add(value);
        if (isAdded) set.add(value);
        else set.delete(value);
        if (!isAdded) few.delete(value);
        expect(isTaken).toBe(isNew);
        expect([...few]).toEqual([...set]);
        expect(few.isEmpty).toBe(set.size === 0);
      }
    }),
  );
});
