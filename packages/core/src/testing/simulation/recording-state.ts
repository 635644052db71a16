import type { Oid } from "../../kml/identity.ts";
import type { Name } from "../../kml/name.ts";
import type { OriginId } from "../../kml/operation.ts";
import type { Outcome } from "../../reintegrate/outcome.ts";
import type { MemoryState } from "../../replay/memory-state.ts";
import { ReadThrough } from "../../replay/read-through.ts";
import type { MutableState } from "../../replay/state.ts";
import type { Entry, Tombstone, TreeObject, Version } from "../../replay/tree-object.ts";

/** One change of a tree, to be done again on another. */
export interface Change {
  /** Whose outcome it notes, where it does. */
  readonly origin: OriginId | null;
  apply(state: MemoryState): void;
}

/** Changes a tree in memory and tells of each change, so that it can be written down and done again. */
export class RecordingState extends ReadThrough implements MutableState {
  readonly #state: MemoryState;
  readonly #record: (change: Change) => void;
  readonly #keepsOutcome: (origin: OriginId) => boolean;

  constructor(
    state: MemoryState,
    record: (change: Change) => void,
    keepsOutcome: (origin: OriginId) => boolean,
  ) {
    super(state);
    this.#state = state;
    this.#record = record;
    this.#keepsOutcome = keepsOutcome;
  }

  putObject(object: TreeObject, _at: Version): void {
    this.#do((state) => state.putObject(object));
  }

  removeObject(oid: Oid, _at: Version): void {
    this.#do((state) => state.removeObject(oid));
  }

  putEntry(entry: Entry, _at: Version): void {
    this.#do((state) => state.putEntry(entry));
  }

  removeEntry(parent: Oid, name: Name, _at: Version): void {
    this.#do((state) => state.removeEntry(parent, name));
  }

  putTombstone(tombstone: Tombstone): void {
    this.#do((state) => state.putTombstone(tombstone));
  }

  removeTombstone(oid: Oid): void {
    this.#do((state) => state.removeTombstone(oid));
  }

  putAlias(alias: Oid, oid: Oid, _at: Version): void {
    this.#do((state) => state.putAlias(alias, oid));
  }

  putOutcome(origin: OriginId, outcome: Outcome): void {
    if (this.#keepsOutcome(origin)) this.#do((state) => state.putOutcome(origin, outcome), origin);
  }

  #do(apply: (state: MemoryState) => void, origin: OriginId | null = null): void {
    const change = { origin, apply };
    change.apply(this.#state);
    this.#record(change);
  }
}
