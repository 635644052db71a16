import { expect, test } from "vitest";

import { describeWakeUps } from "./describe-wake-ups.ts";

const FACTS = { limitUs: 0, obstacle: null, isHeld: false, times: 0, totalMs: 0 };

test.each([
  { facts: FACTS, words: "cores wait awake while programs ask often: not yet" },
  {
    facts: { ...FACTS, isHeld: true, times: 1, totalMs: 40 },
    words: "cores wait awake while programs ask often, as now: once, 0.04 s in all",
  },
  {
    facts: { ...FACTS, limitUs: 2, times: 1_200, totalMs: 61_500 },
    words: "cores sleep lightly (2 us) while programs ask often: 1,200 times, 61.5 s in all",
  },
  {
    facts: { ...FACTS, limitUs: null, obstacle: "asked for" },
    words: "as the machine has them: asked for",
  },
])("describeWakeUps(): $words", ({ facts, words }) => {
  expect(describeWakeUps(facts)).toBe(words);
});
