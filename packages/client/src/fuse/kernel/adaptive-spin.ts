/** So many turns in a row in which waiting awake was in vain: the program does not ask at once, or cannot. */
const MISSES = 4;

/** For so long it is not tried again: what a try in vain costs, 50 us, is then half a percent. */
const PAUSE_MS = 10;

/**
 * For how long to wait awake for the next request, from what it brought.
 *
 * Where both are on one core, as on a busy machine, the program that was answered cannot ask before this thread sleeps:
 * each of its requests would take as long as this thread waits.
 */
export class AdaptiveSpin {
  readonly #microseconds: number;
  #misses = 0;
  #pausedUntilMs = -Infinity;

  constructor(microseconds: number) {
    this.#microseconds = microseconds;
  }

  /** For a turn that begins now. */
  microsecondsAt(nowMs: number): number {
    return nowMs < this.#pausedUntilMs ? 0 : this.#microseconds;
  }

  /** A turn has ended, after so many requests: a second one came while it waited. */
  turnEnded(requests: number, nowMs: number): void {
    if (nowMs < this.#pausedUntilMs) return;
    this.#misses = requests > 1 ? 0 : this.#misses + 1;
    if (this.#misses < MISSES) return;
    // A single try in vain is enough next time.
    this.#misses = MISSES - 1;
    this.#pausedUntilMs = nowMs + PAUSE_MS;
  }
}
