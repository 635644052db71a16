/** A map of at most so many keys; the one that was put first goes first. For what can be read again. */
export class BoundedCache<K, V> {
  readonly #values = new Map<K, V>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The kept value, else what `read` gives, kept from now on. */
  get(key: K, read: () => V): V {
    const kept = this.#values.get(key);
    if (kept !== undefined) return kept;
    const value = read();
    this.put(key, value);
    return value;
  }

  put(key: K, value: V): void {
    this.#values.set(key, value);
    if (this.#values.size <= this.#limit) return;
    for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest);
      return;
    }
  }

  drop(key: K): void {
    this.#values.delete(key);
  }

  clear(): void {
    this.#values.clear();
  }
}
