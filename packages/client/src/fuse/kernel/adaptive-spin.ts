/** A request that comes so soon after this thread went to sleep was held up: who sent it had waited for the core. */
const AT_ONCE_MS = 0.03;

/** A turn of more requests than this shows that the program can ask while this thread waits. */
const FEW_REQUESTS = 2;

/** So many turns in a row that held somebody up. */
const MISSES = 4;

/** For so long it is not tried again: what a try costs, 50 us, is then half a percent. */
const PAUSE_MS = 10;

/**
 * For how long to wait awake for the next request, from what it brought: a turn ends with a wait that was in vain.
 *
 * Where both are on one core, as on a busy machine, the program that was answered cannot ask before this thread sleeps:
 * each of its requests would take as long as this thread waits. A program that does something else before it asks
 * again loses nothing.
 */
export class AdaptiveSpin {
  readonly #microseconds: number;
  #endedMs = -Infinity;
  #requests = 0;
  #misses = 0;
  #pausedUntilMs = -Infinity;

  constructor(microseconds: number) {
    this.#microseconds = microseconds;
  }

  /** A turn begins: for how many microseconds to wait in it. */
  turnBegins(nowMs: number): number {
    if (nowMs < this.#pausedUntilMs) return 0;
    const hasWaited = this.#endedMs >= this.#pausedUntilMs;
    if (hasWaited) {
      const heldUp = nowMs < this.#endedMs + AT_ONCE_MS && this.#requests <= FEW_REQUESTS;
      this.#misses = heldUp ? this.#misses + 1 : 0;
    }
    if (this.#misses < MISSES) return this.#microseconds;
    // A single try that holds somebody up is enough next time.
    this.#misses = MISSES - 1;
    this.#pausedUntilMs = nowMs + PAUSE_MS;
    return 0;
  }

  /** A turn has ended, after so many requests. */
  turnEnded(requests: number, nowMs: number): void {
    this.#endedMs = nowMs;
    this.#requests = requests;
  }
}
