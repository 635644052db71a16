import type { Recno } from "../kml/identity.ts";

/** Numbers of one block: 8 KiB. */
const BLOCK = 1024;

/**
 * Record numbers by record number, where most of a range have one: 8 bytes each, and a `Map` takes 48. It only grows.
 */
export class RecnoMap {
  readonly #blocks = new Map<number, Float64Array>();

  /** @param value above 0, as all record numbers */
  set(recno: Recno, value: Recno): void {
    const index = Math.floor(recno / BLOCK);
    let block = this.#blocks.get(index);
    if (block === undefined) this.#blocks.set(index, (block = new Float64Array(BLOCK)));
    block[recno % BLOCK] = value;
  }

  get(recno: Recno): Recno | undefined {
    const value = this.#blocks.get(Math.floor(recno / BLOCK))?.[recno % BLOCK];
    return value === undefined || value === 0 ? undefined : (value as Recno);
  }
}
