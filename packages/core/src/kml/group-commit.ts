/**
 * One sync at a time for all who ask: whoever comes while one runs, which may have begun before the write that
 * he asks about, shares the one behind it. `T` says how far a sync has got.
 */
export class GroupCommit<T> {
  readonly #sync: () => Promise<T>;
  #running: Promise<T> | null = null;
  #following: Promise<T> | null = null;

  constructor(sync: () => Promise<T>) {
    this.#sync = sync;
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** Resolves when a sync that has begun after this call is over. @throws what that one throws */
  commit(): Promise<T> {
    this.#following ??= this.#follow();
    return this.#following;
  }

  async #follow(): Promise<T> {
    // What has failed before this one is its own callers' to hear.
    await this.#running?.catch(() => {});
    this.#running = this.#following;
    this.#following = null;
    try {
      return await this.#sync();
    } finally {
      this.#running = null;
    }
  }
}
