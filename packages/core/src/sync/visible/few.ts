/** A set that holds one value as a rule, or none: until there are more it is no larger than that one. */
export class Few<T extends object> implements Iterable<T> {
  #held: T | Set<T> | null = null;

  get isEmpty(): boolean {
    return this.#held === null;
  }

  /** @returns whether it was not there */
  add(value: T): boolean {
    const held = this.#held;
    if (held === value) return false;
    if (held instanceof Set) return held.size < held.add(value).size;
    this.#held = held === null ? value : new Set([held, value]);
    return true;
  }

  delete(value: T): void {
    const held = this.#held;
    if (held === value) this.#held = null;
    else if (held instanceof Set && held.delete(value) && held.size === 0) this.#held = null;
  }

  *[Symbol.iterator](): Iterator<T> {
    if (this.#held instanceof Set) yield* this.#held;
    else if (this.#held !== null) yield this.#held;
  }
}
