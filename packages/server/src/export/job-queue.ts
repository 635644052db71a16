/**
 * One job after another: the only way to change a fileset (design S1). A job that fails tells its own
 * caller and nobody else; the next one runs.
 */
export class JobQueue {
  #last: Promise<unknown> = Promise.resolve();
  #count = 0;

  /** Tells whether nothing runs or waits. */
  get isIdle(): boolean {
    return this.#count === 0;
  }

  /** Runs a job when all those before it are done, and gives back what it gives. */
  run<T>(job: () => Promise<T>): Promise<T> {
    this.#count += 1;
    const result = this.#last.then(job).finally(() => (this.#count -= 1));
    this.#last = result.catch(() => {});
    return result;
  }

  /** Resolves when what was queued before the call is done. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
