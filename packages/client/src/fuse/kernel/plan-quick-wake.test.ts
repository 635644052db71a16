import { expect, test } from "vitest";

import { planQuickWake } from "./plan-quick-wake.ts";

test.each([
  {
    description: "a guest of few cores lets them wait awake, not for long",
    choice: "auto",
    machine: { idleDriver: "haltpoll", cores: 8 },
    plan: { limitUs: 0, isBounded: true },
  },
  {
    description: "a guest of many cores lets them sleep",
    choice: "auto",
    machine: { idleDriver: "haltpoll", cores: 9 },
    plan: "9 cores would wait awake, more than 8",
  },
  {
    description: "a real machine permits the lightest halt, which costs little",
    choice: "auto",
    machine: { idleDriver: "intel_idle", cores: 64 },
    plan: { limitUs: 2, isBounded: false },
  },
  {
    description: "who asks for it has it whatever it costs",
    choice: "on",
    machine: { idleDriver: "haltpoll", cores: 64 },
    plan: { limitUs: 0, isBounded: false },
  },
  {
    description: "without an idle driver there is nothing to ask",
    choice: "on",
    machine: { idleDriver: null, cores: 2 },
    plan: "the kernel has no idle driver that could be asked",
  },
  {
    description: "off is off",
    choice: "off",
    machine: { idleDriver: "haltpoll", cores: 2 },
    plan: "asked for",
  },
] as const)("planQuickWake(): $description", ({ choice, machine, plan }) => {
  expect(planQuickWake(choice, machine)).toEqual(plan);
});
