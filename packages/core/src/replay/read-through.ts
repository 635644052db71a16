import type { Oid } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { OriginId } from "../kml/operation.ts";
import type { Outcome } from "../reintegrate/outcome.ts";
import type { StateReader } from "./state.ts";
import type { Entry, Tombstone, TreeObject } from "./tree-object.ts";

/** Answers everything as another state does: the base of those that do something else with changes. */
export abstract class ReadThrough implements StateReader {
  readonly #state: StateReader;

  constructor(state: StateReader) {
    this.#state = state;
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
}
