import { setTimeout as sleep } from "node:timers/promises";

import { RemoteUnreachableError } from "../sync/remote-error.ts";

/** Attempts at one transfer that may fail in a row without a byte of progress; then the caller decides. */
const MAX_ATTEMPTS = 4;
const FIRST_PAUSE_MS = 100;

/**
 * Bounds the attempts to take up a transfer that was cut: `progress` starts the count anew, `pause`
 * waits before the next attempt, twice as long each time and with jitter, or throws the error when
 * there is none left.
 */
export class RetryBudget {
  #failures = 0;

  progress(): void {
    this.#failures = 0;
  }

  /** @throws `error` when it is no cut connection, or the attempts are used up */
  async pause(error: unknown, signal: AbortSignal | undefined): Promise<void> {
    this.#failures += 1;
    if (!(error instanceof RemoteUnreachableError) || this.#failures >= MAX_ATTEMPTS) throw error;
    const ceilingMs = FIRST_PAUSE_MS * 2 ** this.#failures;
    await sleep(ceilingMs * (0.5 + Math.random() / 2), undefined, { ...(signal && { signal }) });
  }
}
