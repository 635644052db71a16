/**
 * A map of at most so many keys, for what can be read again: what was not asked for lately goes first.
 *
 * In two generations: when the younger one holds half of them, it becomes the older one, and what that had left
 * goes at once. Taking the first key out of a full `Map` for each that comes is no way: the places of all that
 * went before it are gone through each time.
 */
export class BoundedCache<K, V> {
  readonly #half: number;
  #younger = new Map<K, V>();
  #older = new Map<K, V>();
  #hasAll = true;

  constructor(limit: number) {
    this.#half = Math.ceil(limit / 2);
  }

  /** The kept value, else what `read` gives, kept from now on. */
  get(key: K, read: () => V): V {
    const young = this.#younger.get(key);
    if (young !== undefined) return young;
    const old = this.#older.get(key);
    // Null is a value here.
    const value = old === undefined ? read() : old;
    this.put(key, value);
    return value;
  }

  /** The kept value; this is no use of it. */
  peek(key: K): V | undefined {
    const young = this.#younger.get(key);
    return young === undefined ? this.#older.get(key) : young;
  }

  /** All that was put and not dropped by somebody is here: none had to go for want of room. */
  get hasAll(): boolean {
    return this.#hasAll;
  }

  /** What is kept now; what is put meanwhile may be among it. */
  *values(): Generator<V, void> {
    for (const [key, value] of this.#older) if (!this.#younger.has(key)) yield value;
    yield* this.#younger.values();
  }

  put(key: K, value: V): void {
    if (this.#younger.size >= this.#half && !this.#younger.has(key)) {
      if (this.#older.size > 0) this.#hasAll = false;
      this.#older = this.#younger;
      this.#younger = new Map();
    }
    this.#younger.set(key, value);
  }

  drop(key: K): void {
    this.#younger.delete(key);
    this.#older.delete(key);
  }

  clear(): void {
    this.#hasAll = true;
    this.#younger.clear();
    this.#older.clear();
  }
}
