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

function ask(worker: Worker, order: Order): Promise<Batch> {
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(order);
  }).finally(() => worker.removeAllListeners()) as Promise<Batch>;
}
