interface Waiter {
  readonly isMet: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Those who wait for a condition that others bring about: a position, an empty own log. */
export class Waiters {
  readonly #waiters = new Set<Waiter>();

  /**
   * Resolves as soon as the condition holds at a {@link check}, or at once.
   *
   * @throws the signal's reason; what the condition throws, which says that it can never hold
   */
  async until(isMet: () => boolean, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (isMet()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { isMet, resolve, reject };
    const abort = (): void => reject(signal.reason as Error);
    this.#waiters.add(waiter);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await promise;
    } finally {
      this.#waiters.delete(waiter);
      signal.removeEventListener("abort", abort);
    }
  }

  /** Something has changed. */
  check(): void {
    for (const { isMet, resolve, reject } of this.#waiters) {
      try {
        if (isMet()) resolve();
      } catch (error) {
        reject(error);
      }
    }
  }
}
