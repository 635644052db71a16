import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";

import type { SimulationSize } from "./simulate.ts";
import type { Batch, Order } from "./worker.ts";

export interface PoolOptions {
  /** The first seed, and how many from there. */
  readonly first: number;
  readonly histories: number;
  readonly workers: number;
  readonly size: SimulationSize;
}

/** Histories that a worker runs before it says how they went. */
const BATCH_HISTORIES = 25;

/** A batch takes seconds; on a busy machine a minute. */
const BATCH_LIMIT_MS = 600_000;

/** Runs the histories of consecutive seeds on several threads; `onBatch` is told as they are done. */
export async function runOnWorkers(
  { first, histories, workers, size }: PoolOptions,
  onBatch: (batch: Batch) => void,
): Promise<void> {
  const end = first + histories;
  let next = first;
  const takeOrder = (): Order | null => {
    if (next >= end) return null;
    const order = { first: next, end: Math.min(next + BATCH_HISTORIES, end), size };
    next = order.end;
    return order;
  };
  await Promise.all(Array.from({ length: workers }, () => runWorker(takeOrder, onBatch)));
}

async function runWorker(
  takeOrder: () => Order | null,
  onBatch: (batch: Batch) => void,
): Promise<void> {
  const worker = new Worker(new URL(import.meta.resolve("./worker.ts")));
  try {
    for (let order = takeOrder(); order !== null; order = takeOrder()) {
      onBatch(await ask(worker, order));
    }
  } finally {
    await worker.terminate();
  }
}

/** @throws what the thread fails with, or that it ended without an answer, or gives none */
async function ask(worker: Worker, order: Order): Promise<Batch> {
  const isAnswered = new AbortController();
  const { signal } = isAnswered;
  const answer = once(worker, "message", { signal });
  const end = once(worker, "exit", { signal }).then(([code]): never => {
    throw new Error(`Cannot run seed ${order.first} and on: the thread ended with ${code}`);
  });
  const late = delay(BATCH_LIMIT_MS, undefined, { signal }).then((): never => {
    throw new Error(
      `Cannot run seeds ${order.first} to ${order.end - 1}: one of them does not end`,
    );
  });
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  worker.postMessage(order);
  try {
    const [batch] = (await Promise.race([answer, end, late])) as [Batch];
    return batch;
  } finally {
    isAnswered.abort();
    await Promise.allSettled([answer, end, late]);
  }
}
