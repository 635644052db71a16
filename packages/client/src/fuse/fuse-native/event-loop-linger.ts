/**
 * Keeps the event loop from sleeping for a moment after each request.
 *
 * The cost of a round trip is waking threads on other cores, not the work: with the loop asleep a
 * LOOKUP took 130 us here, with it awake 50 us (docs/decisions/0002). A request is usually followed by
 * another within microseconds, so a short wait that burns a little CPU is paid back at once. An idle
 * mount burns nothing.
 */
export class EventLoopLinger {
  readonly #lingerNs: bigint;
  #untilNs = 0n;
  #isSpinning = false;

  constructor(lingerMicroseconds: number) {
    this.#lingerNs = BigInt(Math.round(lingerMicroseconds * 1000));
  }

  /** A request came in: stay awake for the next one. */
  touch(): void {
    if (this.#lingerNs === 0n) return;
    this.#untilNs = process.hrtime.bigint() + this.#lingerNs;
    if (this.#isSpinning) return;
    this.#isSpinning = true;
    setImmediate(this.#spin);
  }

  // A pending immediate makes libuv poll without blocking, so requests are seen as they come.
  readonly #spin = (): void => {
    if (process.hrtime.bigint() < this.#untilNs) {
      setImmediate(this.#spin);
    } else {
      this.#isSpinning = false;
    }
  };
}
