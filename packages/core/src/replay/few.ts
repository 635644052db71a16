/** Up to so many values are looked through one by one, which is as quick as a set and a fraction of its size. */
const MOST_IN_ARRAY = 8;

/**
 * A set that holds one value as a rule, or none, or a few: there is one or more for each name that waits to be
 * sent, and an empty `Set` takes 200 bytes.
 */
export class Few<T extends object | string> implements Iterable<T> {
  #held: T | readonly T[] | Set<T> | null = null;

  get isEmpty(): boolean {
    return this.#held === null;
  }

  /** @returns whether it was not there */
  add(value: T): boolean {
    const held = this.#held;
    if (held === null) {
      this.#held = value;
      return true;
    }
    if (held instanceof Set) return held.size < held.add(value).size;
    if (!Array.isArray(held)) {
      if (held === value) return false;
      this.#held = [held as T, value];
      return true;
    }
    const values: readonly T[] = held;
    if (values.includes(value)) return false;
    // An array that is pushed to would take room for sixteen more.
    this.#held = values.length < MOST_IN_ARRAY ? [...values, value] : new Set(values).add(value);
    return true;
  }

  delete(value: T): void {
    const held = this.#held;
    if (held === value) this.#held = null;
    else if (held instanceof Set) {
      if (held.delete(value) && held.size === 0) this.#held = null;
    } else if (Array.isArray(held)) {
      const left = (held as readonly T[]).filter((other) => other !== value);
      this.#held = left.length > 1 ? left : (left[0] ?? null);
    }
  }

  [Symbol.iterator](): Iterator<T> {
    const held = this.#held;
    if (held === null) return [].values();
    if (held instanceof Set) return held.values();
    return (Array.isArray(held) ? (held as readonly T[]) : [held as T]).values();
  }
}
