import type { Oid, Recno, TreeObject } from "@izo/core";

/** An object as it is, and the record from which on its row holds. */
export interface CachedObject {
  readonly object: TreeObject;
  readonly from: Recno;
}

/** More than most filesets have directories; beyond it the cache starts anew. */
const MAX_OBJECTS = 50_000;

/**
 * Objects that were asked for or changed lately, and ids that have none. Every record asks for the
 * directory that it changes, some of them three times, and for an object that it is about to make.
 */
export class ObjectCache {
  readonly #objects = new Map<Oid, CachedObject | null>();

  /** Null where there is none; undefined where that is not known. */
  get(oid: Oid): CachedObject | null | undefined {
    return this.#objects.get(oid);
  }

  put(oid: Oid, cached: CachedObject | null): void {
    if (this.#objects.size >= MAX_OBJECTS) this.clear();
    this.#objects.set(oid, cached);
  }

  clear(): void {
    this.#objects.clear();
  }
}
