import type { QuickWakeChoice } from "../quick-wake-choice.ts";

/** What of a machine the plan depends on. */
export interface IdleCores {
  /** See `idleDriver` of `@izo/sys`. */
  readonly idleDriver: string | null;
  readonly cores: number;
}

export interface QuickWakePlan {
  /** Within how many microseconds a core is to be awake. */
  readonly limitUs: number;
  /** See `RequestBursts`. */
  readonly isBounded: boolean;
}

/**
 * The idle driver of guests: the lightest sleep that it knows is a halt, and a halted core of a guest is woken by its
 * host. The kernel takes that for 1 us (drivers/cpuidle/cpuidle-haltpoll.c), so only 0 keeps cores from it.
 */
const GUEST_DRIVER = "haltpoll";

/** All idle cores wait awake; where there are more, they take more from others than one program gains. */
const MOST_AWAKE_CORES = 8;

/**
 * The lightest halts of real processors (C1) take 1 or 2 us to leave and save most of what sleep saves; deeper ones take
 * 10 to some hundreds (drivers/idle/intel_idle.c, and what firmware says elsewhere).
 */
const LIGHT_HALT_US = 2;

/** What to ask for while programs ask often; else in words why nothing is. */
export function planQuickWake(
  choice: QuickWakeChoice,
  { idleDriver, cores }: IdleCores,
): QuickWakePlan | string {
  if (choice === "off") return "asked for";
  if (idleDriver === null) return "the kernel has no idle driver that could be asked";
  if (choice === "on") return { limitUs: 0, isBounded: false };
  if (idleDriver !== GUEST_DRIVER) return { limitUs: LIGHT_HALT_US, isBounded: false };
  return cores <= MOST_AWAKE_CORES
    ? { limitUs: 0, isBounded: true }
    : `${cores} cores would wait awake, more than ${MOST_AWAKE_CORES}`;
}
