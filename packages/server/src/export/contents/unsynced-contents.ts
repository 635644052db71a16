import type { Sha256 } from "@izo/core";

/**
 * Contents that are under their hash and perhaps not on the disk yet. Whoever logs a record that names one waits for
 * it here; meanwhile he makes ready what else has to be synced, and the disk takes all of it together.
 */
export class UnsyncedContents {
  /** A failure stays until somebody who counted on the content was told. */
  readonly #syncs = new Map<Sha256, Promise<void>>();

  /** @param sync that is under way */
  add(sha256: Sha256, sync: Promise<void>): void {
    this.#syncs.set(sha256, sync);
    sync.then(
      () => this.#forget(sha256, sync),
      () => {},
    );
  }

  /** Resolves when these are durable, as far as they came here. @throws what the disk has said of one of them */
  async whenSynced(hashes: Iterable<Sha256>): Promise<void> {
    const waiting: Promise<void>[] = [];
    for (const sha256 of hashes) {
      const sync = this.#syncs.get(sha256);
      if (sync !== undefined)
        waiting.push(sync.catch((error: unknown) => this.#fail(sha256, sync, error)));
    }
    await Promise.all(waiting);
  }

  #fail(sha256: Sha256, sync: Promise<void>, error: unknown): never {
    this.#forget(sha256, sync);
    throw error;
  }

  #forget(sha256: Sha256, sync: Promise<void>): void {
    if (this.#syncs.get(sha256) === sync) this.#syncs.delete(sha256);
  }
}
