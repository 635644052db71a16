/**
 * What happens in a history, planned before it runs: a list of steps of which each carries its own chance.
 * A step means the same whatever was left out before it, so that a story can be made shorter.
 */

import { Random } from "./random.ts";

/** What a step is about. Hosts are numbers: the clients from 0, modulo how many there are. */
export type StepKind =
  | "program"
  | "program on the server"
  | "fsync"
  | "sync"
  | "exchange"
  | "deliver"
  | "disconnect"
  | "cut"
  | "heal"
  | "kill client"
  | "kill server"
  | "power cut of client"
  | "power cut of server"
  | "clock"
  | "clone"
  | "back up"
  | "restore"
  | "truncate"
  | "checkpoint";

export interface Step {
  readonly kind: StepKind;
  readonly host: number;
  /** Seed of all choices in this step. */
  readonly seed: number;
}

export interface PlanOptions {
  readonly seed: number;
  readonly clients: number;
  /** Operations of programs. */
  readonly operations: number;
}

type Frequencies = readonly (readonly [StepKind, number])[];

/** How often a step comes, beside a hundred operations of programs. */
const EVERYWHERE: Frequencies = [
  ["program", 100],
  ["program on the server", 4],
  ["fsync", 4],
  ["sync", 10],
  ["exchange", 110],
  ["deliver", 60],
  ["disconnect", 3],
  ["kill client", 1.5],
  ["kill server", 1.5],
  ["clock", 2],
  ["clone", 0.5],
  ["checkpoint", 4],
];

/** Machines lose power, and the log is cut off. */
const WITH_POWER_CUTS: Frequencies = [
  ...EVERYWHERE,
  ["power cut of client", 1.5],
  ["power cut of server", 1.5],
  ["truncate", 2],
];

/**
 * The server is restored from a backup. What it has lost is with clients alone then, so that no other
 * machine may lose anything: two disasters at a time are too many.
 */
const WITH_RESTORES: Frequencies = [...EVERYWHERE, ["back up", 2], ["restore", 2]];

/** How many histories have a restored server. */
const SHARE_WITH_RESTORES = 0.3;

/** The steps of the history of a seed. */
export function planHistory({ seed, clients, operations }: PlanOptions): Step[] {
  const random = new Random(seed);
  const frequencies = random.chance(SHARE_WITH_RESTORES) ? WITH_RESTORES : WITH_POWER_CUTS;
  const steps: Step[] = [];
  const add = (kind: StepKind, host = random.below(clients)): void => {
    steps.push({ kind, host, seed: random.below(2 ** 31) });
  };
  let heals: { readonly at: number; readonly host: number }[] = [];
  let done = 0;
  while (done < operations) {
    for (const { host } of heals.filter(({ at }) => at <= done)) add("heal", host);
    heals = heals.filter(({ at }) => at > done);
    // A cut of a few steps, or one that lasts for a good part of the history.
    if (random.chance(0.006)) {
      const host = random.below(clients);
      const length = random.chance(0.3) ? operations * random.next() * 0.6 : random.below(20);
      add("cut", host);
      heals.push({ at: done + length, host });
    }
    const kind = pickKind(frequencies, random);
    add(kind);
    if (kind === "program") done += 1;
  }
  return steps;
}

function pickKind(frequencies: Frequencies, random: Random): StepKind {
  let at = random.next() * frequencies.reduce((sum, [, frequency]) => sum + frequency, 0);
  for (const [kind, frequency] of frequencies) {
    at -= frequency;
    if (at < 0) return kind;
  }
  return "program";
}
