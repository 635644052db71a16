/** Runs histories on a thread of its own, as `worker-pool.ts` orders. */
import { parentPort } from "node:worker_threads";

import { simulate, type SimulationSize } from "./simulate.ts";
import { Tally } from "./tally.ts";

/** Seeds from `first` up to but not with `end`. */
export interface Order {
  readonly first: number;
  readonly end: number;
  readonly size: SimulationSize;
}

/** How the histories of an order went. */
export interface Batch {
  readonly histories: number;
  readonly counts: readonly (readonly [string, number])[];
  readonly failedSeeds: readonly number[];
}

parentPort?.on("message", (order: Order) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  void run(order).then((batch) => parentPort?.postMessage(batch));
});

async function run({ first, end, size }: Order): Promise<Batch> {
  const tally = new Tally();
  const failedSeeds: number[] = [];
  for (let seed = first; seed < end; seed += 1) {
    const { violations, tally: one } = await simulate(seed, size);
    tally.merge(one.counts);
    if (violations.length > 0) failedSeeds.push(seed);
  }
  return { histories: end - first, counts: [...tally.counts], failedSeeds };
}
