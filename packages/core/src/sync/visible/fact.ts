import { Few } from "../../replay/few.ts";
import type { ShownRecord } from "./shown-record.ts";

/** Something of the visible tree that pending records read or write: an object, a name, an alias. */
export class Fact {
  readonly key: string;
  readonly #facts: Facts;
  readonly readers = new Few<ShownRecord>();
  readonly writers = new Few<ShownRecord>();

  constructor(key: string, facts: Facts) {
    this.key = key;
    this.#facts = facts;
  }

  /** Whether who writes it leaves alone what others write of it, as of the entries of a directory. */
  get isShared(): boolean {
    return this.#facts.isShared;
  }

  /** Nobody has to do with it any more as far as this record goes. */
  release(record: ShownRecord): void {
    this.readers.delete(record);
    this.writers.delete(record);
    if (this.readers.isEmpty && this.writers.isEmpty) this.#facts.drop(this.key);
  }

  /** Takes back what the pending records have made of it; all of its writers are shown anew then. */
  undo(): void {
    this.#facts.undo(this.key);
  }
}

/** The facts of one sort that pending records read or write now. */
export class Facts {
  readonly isShared: boolean;
  readonly undo: (key: string) => void;
  readonly #facts = new Map<string, Fact>();

  constructor(undo: (key: string) => void, { isShared = false } = {}) {
    this.undo = undo;
    this.isShared = isShared;
  }

  find(key: string): Fact | undefined {
    return this.#facts.get(key);
  }

  at(key: string): Fact {
    let fact = this.#facts.get(key);
    if (fact === undefined) this.#facts.set(key, (fact = new Fact(key, this)));
    return fact;
  }

  drop(key: string): void {
    this.#facts.delete(key);
  }
}
