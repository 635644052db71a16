import { setTimeout as delay } from "node:timers/promises";

/** This long after the last record, a program that makes one after the other has paused. */
const QUIET_MS = 2;

/** Between two looks whether it has. */
const LOOK_MS = 4;

/** A program that never pauses must not keep others from what it does, nor this client from what they do. */
const LONGEST_MS = 250;

/** After so long a wait, all that waits has its turn for this long. */
const TURN_MS = 50;

/**
 * Lets synchronization wait until programs pause: both need this process, and while the tree of a large
 * archive is unpacked each small batch would be judged under all that waits. A batch that comes a moment
 * later does the work of many. Waiting loses nothing: what waits is in the log.
 */
export class QuietMoments {
  readonly #nowMs: () => number;
  #lastMs = -Infinity;
  #turnUntilMs = -Infinity;

  /** @param nowMs a clock that never goes back */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** A program has changed something. */
  note(): void {
    this.#lastMs = this.#nowMs();
  }

  /** Resolves when programs pause, after a quarter of a second at the latest, or when the signal ends it. */
  async wait(signal: AbortSignal): Promise<void> {
    const startMs = this.#nowMs();
    while (!signal.aborted && this.#isBusy) {
      const nowMs = this.#nowMs();
      if (nowMs >= startMs + LONGEST_MS) this.#turnUntilMs = nowMs + TURN_MS;
      // oxlint-disable-next-line no-await-in-loop -- one look after another
      else await delay(LOOK_MS);
    }
  }

  get #isBusy(): boolean {
    const nowMs = this.#nowMs();
    return nowMs < this.#lastMs + QUIET_MS && nowMs >= this.#turnUntilMs;
  }
}
