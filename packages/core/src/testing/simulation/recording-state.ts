import type { Oid } from "../../kml/identity.ts";
import type { Name } from "../../kml/name.ts";
import type { OriginId } from "../../kml/operation.ts";
import type { Outcome } from "../../reintegrate/outcome.ts";
import type { MemoryState } from "../../replay/memory-state.ts";
import type { MutableState } from "../../replay/state.ts";
import type { Entry, Tombstone, TreeObject, Version } from "../../replay/tree-object.ts";

/** One change of a tree, to be done again on another. */
export interface Change {
  /** Whose outcome it notes, where it does. */
  readonly origin: OriginId | null;
  apply(state: MemoryState): void;
}

/** Changes a tree in memory and tells of each change, so that it can be written down and done again. */
export class RecordingState implements MutableState {
  readonly #state: MemoryState;
  readonly #record: (change: Change) => void;
  readonly #keepsOutcome: (origin: OriginId) => boolean;

  constructor(
    state: MemoryState,
    record: (change: Change) => void,
    keepsOutcome: (origin: OriginId) => boolean,
  ) {
    this.#state = state;
    this.#record = record;
    this.#keepsOutcome = keepsOutcome;
  }

  object(oid: Oid): TreeObject | undefined {
    return this.#state.object(oid);
  }

  entry(parent: Oid, name: Name): Entry | undefined {
    return this.#state.entry(parent, name);
  }

  links(oid: Oid): readonly Entry[] {
    return this.#state.links(oid);
  }

  children(parent: Oid): Iterable<Entry> {
    return this.#state.children(parent);
  }

  hasChildren(parent: Oid): boolean {
    return this.#state.hasChildren(parent);
  }

  tombstone(oid: Oid): Tombstone | undefined {
    return this.#state.tombstone(oid);
  }

  alias(oid: Oid): Oid | undefined {
    return this.#state.alias(oid);
  }

  outcome(origin: OriginId): Outcome | undefined {
    return this.#state.outcome(origin);
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
