/**
 * A map that is empty as a rule, and small as long as it is: there are several for each inode that this process
 * knows, and an empty `Map` takes 200 bytes.
 */
export class SeldomMap<K, V> implements Iterable<[K, V]> {
  #held: Map<K, V> | undefined;

  get size(): number {
    return this.#held?.size ?? 0;
  }

  has(key: K): boolean {
    return this.#held?.has(key) === true;
  }

  get(key: K): V | undefined {
    return this.#held?.get(key);
  }

  set(key: K, value: V): void {
    this.#held ??= new Map();
    this.#held.set(key, value);
  }

  /** @returns whether it was there */
  delete(key: K): boolean {
    const isDeleted = this.#held?.delete(key) === true;
    if (this.#held?.size === 0) this.#held = undefined;
    return isDeleted;
  }

  clear(): void {
    this.#held = undefined;
  }

  keys(): IterableIterator<K> {
    return (this.#held ?? NONE).keys() as IterableIterator<K>;
  }

  values(): IterableIterator<V> {
    return (this.#held ?? NONE).values() as IterableIterator<V>;
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return (this.#held ?? NONE).entries() as IterableIterator<[K, V]>;
  }
}

const NONE: ReadonlyMap<unknown, unknown> = new Map();
