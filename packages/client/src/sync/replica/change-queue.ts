import type { ChangeSet } from "@izo/core";

/**
 * Changes of the visible tree that the cache does not show yet. One that it cannot take, as on a full
 * disk, stays first: nothing newer is shown before it.
 */
export class ChangeQueue {
  readonly #apply: (changes: ChangeSet) => void;
  readonly #waiting: ChangeSet[] = [];

  constructor(apply: (changes: ChangeSet) => void) {
    this.#apply = apply;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(changes: ChangeSet): void {
    this.#waiting.push(changes);
  }

  /** @throws what the cache throws; what it has not shown then waits */
  showAll(): void {
    for (let changes = this.#waiting[0]; changes !== undefined; changes = this.#waiting[0]) {
      this.#apply(changes);
      this.#waiting.shift();
    }
  }
}
