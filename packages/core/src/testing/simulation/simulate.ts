import { runHistory, type HistoryResult } from "./history.ts";
import type { Mutation } from "./mutation.ts";
import { planHistory, type Step } from "./plan.ts";
import { kindOfViolation, shrink } from "./shrink.ts";

/** What histories are made of, beside their seeds. */
export interface SimulationSize {
  readonly clients: number;
  /** Operations of programs in a history. */
  readonly operations: number;
  readonly mutation?: Mutation;
}

/** Operations of programs in a history, where nothing else is asked for. */
export const DEFAULT_SIZE: SimulationSize = { clients: 3, operations: 200 };

/** A history that broke a promise, made as short as it can be. */
export interface Finding {
  readonly seed: number;
  /** Steps of the whole history, and of the short one. */
  readonly steps: number;
  readonly shortSteps: number;
  readonly violations: readonly string[];
  readonly story: readonly string[];
}

/** Runs the history of a seed. */
export function simulate(seed: number, size: SimulationSize): Promise<HistoryResult> {
  return runHistory({ ...size, steps: planHistory({ ...size, seed }) });
}

/** The shortest story that still breaks what the history of this seed breaks, or null where it breaks nothing. */
export async function explain(seed: number, size: SimulationSize): Promise<Finding | null> {
  const steps = planHistory({ ...size, seed });
  const whole = await runHistory({ ...size, steps });
  const [violation] = whole.violations;
  if (violation === undefined) return null;
  const kind = kindOfViolation(violation);
  const short = await shrink(steps, (fewer) => failsAlike(fewer, size, kind));
  const { violations, story } = await runHistory({ ...size, steps: short });
  return { seed, steps: steps.length, shortSteps: short.length, violations, story };
}

async function failsAlike(
  steps: readonly Step[],
  size: SimulationSize,
  kind: string,
): Promise<boolean> {
  const { violations } = await runHistory({ ...size, steps });
  return violations[0] !== undefined && kindOfViolation(violations[0]) === kind;
}
