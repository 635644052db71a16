import type { Recno } from "@izo/core";

import { onAbort } from "./on-abort.ts";

interface Waiter {
  readonly after: Recno;
  readonly end: () => void;
}

/** Requests that wait for the log to go on: thousands of them, all woken by one record. */
export class HeadWaiters {
  readonly #head: () => Recno;
  readonly #waiting = new Set<Waiter>();

  constructor(head: () => Recno) {
    this.#head = head;
  }

  /** Resolves when the log goes beyond `after`, the time is over, or one of the signals aborts. */
  async until(
    after: Recno,
    timeoutMs: number,
    signals: readonly AbortSignal[] = [],
  ): Promise<void> {
    if (this.#head() > after || signals.some(({ aborted }) => aborted)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = (): void => {
      clearTimeout(timer);
      for (const forget of listening) forget();
      this.#waiting.delete(waiter);
      resolve();
    };
    const waiter: Waiter = { after, end };
    const timer = setTimeout(end, timeoutMs);
    const listening = signals.map((signal) => onAbort(signal, end));
    this.#waiting.add(waiter);
    await promise;
  }

  /** The log has gone on. */
  wake(): void {
    const head = this.#head();
    for (const { after, end } of this.#waiting) if (head > after) end();
  }
}
