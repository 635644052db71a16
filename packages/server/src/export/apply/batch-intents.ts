import { clearIntents, dropIntents, readIntents, writeIntents, type Intent } from "./intents.ts";

/**
 * The intents of the batch in progress, and whether any may stand on disk that the log does not tell of.
 *
 * Recovery reads off staging which steps were done: an inode that is not there any more has gone into the
 * tree. So as long as intents stand, nobody else takes an inode out of staging.
 */
export class BatchIntents {
  readonly #path: string;
  #mayStand = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** A batch has written intents, or tried to, and is neither in the log nor forgotten. */
  get mayStand(): boolean {
    return this.#mayStand;
  }

  /** Makes the intents of a batch durable. Where it throws they may be, all the same. */
  async write(intents: readonly Intent[]): Promise<void> {
    this.#mayStand = true;
    await writeIntents(this.#path, intents);
  }

  /** Those that stand, as the next start would find them. */
  read(): Promise<Intent[]> {
    return readIntents(this.#path);
  }

  /** The log has the first record of the batch at least, durably: recovery believes it, and not them. */
  settle(): void {
    clearIntents(this.#path);
    this.#mayStand = false;
  }

  /** What of the batch is not in the log never happened: forgets it durably. */
  async drop(): Promise<void> {
    await dropIntents(this.#path);
    this.#mayStand = false;
  }
}
