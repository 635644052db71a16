import { expect, it } from "vitest";

import { isMassRemoval } from "./mass-removal.ts";

it.each([
  { removed: 19, names: 19, isMass: false },
  { removed: 20, names: 20, isMass: true },
  { removed: 18, names: 20, isMass: false },
  { removed: 900, names: 1000, isMass: false },
  { removed: 901, names: 1000, isMass: true },
  { removed: 0, names: 0, isMass: false },
])("isMassRemoval($removed, $names) is $isMass", ({ removed, names, isMass }) => {
  expect(isMassRemoval(removed, names)).toBe(isMass);
});
