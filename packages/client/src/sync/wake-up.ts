/** A loop's bell: a ring that comes while nobody waits is heard by the next wait. */
export class WakeUp {
  #isRung = false;
  #wake: (() => void) | null = null;
  #dueMs: number | null = null;

  /** How long it is until somebody wakes without a ring; null where nobody waits, or for nothing else. */
  get dueInMs(): number | null {
    return this.#dueMs === null ? null : Math.max(0, this.#dueMs - performance.now());
  }

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** Resolves at a ring, after `timeoutMs`, or when the signal aborts; whoever waits looks what it was. */
  async wait(signal: AbortSignal, timeoutMs?: number): Promise<void> {
    if (!this.#isRung && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const end = (): void => resolve();
      const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs);
      this.#wake = end;
      this.#dueMs = timeoutMs === undefined ? null : performance.now() + timeoutMs;
      signal.addEventListener("abort", end, { once: true });
      await promise;
      signal.removeEventListener("abort", end);
      clearTimeout(timer);
      this.#wake = null;
      this.#dueMs = null;
    }
    this.#isRung = false;
  }
}
