/** So many requests within so long are a program that does little but ask: a quarter of its time or more is waiting for answers. */
const BURST_REQUESTS = 32;
const BURST_MS = 8;

/** How often to look whether a burst goes on; it ends with the first look that finds fewer requests, one in a millisecond. */
export const LOOK_MS = 20;
const FEWEST_REQUESTS = 20;

/** A burst, or several soon after each other, may last so long; what is used up comes back at a quarter of the pace. */
const LONGEST_MS = 30_000;
const RECOVERY = 0.25;

/** Where the time is used up, no burst begins until there is time for a useful one. */
const SHORTEST_MS = 5_000;

/**
 * Whether programs ask in quick succession, told turn by turn: how many requests were answered, and when.
 *
 * It takes much to begin a burst and little to keep it, so that it does not begin and end all the time. Nothing has to
 * be called while there is none.
 */
export class RequestBursts {
  readonly #isBounded: boolean;
  #isBurst = false;
  /** Since the first turn of what may become a burst, or since the last look. */
  #requests = 0;
  #sinceMs = -Infinity;
  /** What was left of the longest time when it was last counted. */
  #leftMs = LONGEST_MS;
  #countedMs = 0;

  /** @param isBounded whether bursts end that last long, though programs go on */
  constructor({ isBounded }: { readonly isBounded: boolean }) {
    this.#isBounded = isBounded;
  }

  /** So many requests were answered up to now. True during a burst; in one, `look` is to be called every `LOOK_MS`. */
  note(requests: number, nowMs: number): boolean {
    if (this.#isBurst) {
      this.#requests += requests;
      return true;
    }
    if (nowMs > this.#sinceMs + BURST_MS) {
      this.#sinceMs = nowMs;
      this.#requests = 0;
    }
    this.#requests += requests;
    if (this.#requests < BURST_REQUESTS || this.#countLeft(nowMs) < SHORTEST_MS) return false;
    this.#isBurst = true;
    this.#requests = 0;
    return true;
  }

  /** Whether the burst goes on. */
  look(nowMs: number): boolean {
    const isLeft = this.#countLeft(nowMs) > 0;
    this.#isBurst &&= isLeft && this.#requests >= FEWEST_REQUESTS;
    this.#requests = 0;
    return this.#isBurst;
  }

  #countLeft(nowMs: number): number {
    if (!this.#isBounded) return Infinity;
    const passedMs = nowMs - this.#countedMs;
    this.#countedMs = nowMs;
    this.#leftMs = this.#isBurst
      ? this.#leftMs - passedMs
      : Math.min(LONGEST_MS, this.#leftMs + passedMs * RECOVERY);
    return this.#leftMs;
  }
}
