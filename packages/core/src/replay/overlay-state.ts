import type { Oid } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { OriginId } from "../kml/operation.ts";
import type { Outcome } from "../reintegrate/outcome.ts";
import { Few } from "./few.ts";
import { originKey } from "./memory-state.ts";
import type { MutableState, StateReader } from "./state.ts";
import { entryKey, type Entry, type Tombstone, type TreeObject } from "./tree-object.ts";

/**
 * Changes laid over a state that stays as it is: a client's visible tree is its authoritative state
 * under an overlay of its pending records (design C5), and a dry run is an overlay thrown away.
 *
 * A key that the overlay holds hides the base's value, also after the base moved on: exactly the
 * objects and names with a pending local change stay as their author left them.
 */
export class OverlayState implements MutableState {
  readonly #base: StateReader;
  readonly #objects = new Map<Oid, TreeObject | null>();
  readonly #entries = new Map<string, Entry | null>();
  readonly #namesByParent = new Map<Oid, Set<Name>>();
  readonly #linksByOid = new Map<Oid, Few<Entry>>();
  readonly #tombstones = new Map<Oid, Tombstone | null>();
  readonly #aliases = new Map<Oid, Oid>();
  readonly #outcomes = new Map<string, Outcome>();
  readonly #redirects = new Map<string, Oid>();

  constructor(base: StateReader) {
    this.#base = base;
  }

  object(oid: Oid): TreeObject | undefined {
    const own = this.#objects.get(oid);
    return own === undefined ? this.#base.object(oid) : (own ?? undefined);
  }

  entry(parent: Oid, name: Name): Entry | undefined {
    const own = this.#entries.get(entryKey(parent, name));
    return own === undefined ? this.#base.entry(parent, name) : (own ?? undefined);
  }

  links(oid: Oid): readonly Entry[] {
    const own = this.#linksByOid.get(oid);
    const below = this.#base
      .links(oid)
      .filter((entry) => !this.#entries.has(entryKey(entry.parent, entry.name)));
    return own === undefined ? below : [...below, ...own];
  }

  linkCount(oid: Oid, most: number): number {
    const own = this.#linksByOid.get(oid);
    let count = 0;
    for (const _ of own ?? []) if ((count += 1) >= most) return count;
    // From the end: names are mostly removed in the order in which they were made.
    const below = this.#base.links(oid);
    for (let index = below.length - 1; index >= 0 && count < most; index -= 1) {
      const { parent, name } = below[index]!;
      if (!this.#entries.has(entryKey(parent, name))) count += 1;
    }
    return count;
  }

  *children(parent: Oid): Iterable<Entry> {
    const own = this.#namesByParent.get(parent);
    for (const entry of this.#base.children(parent)) {
      if (own === undefined || !own.has(entry.name)) yield entry;
    }
    for (const name of own ?? []) {
      const entry = this.#entries.get(entryKey(parent, name));
      if (entry !== undefined && entry !== null) yield entry;
    }
  }

  hasChildren(parent: Oid): boolean {
    if (!this.#namesByParent.has(parent)) return this.#base.hasChildren(parent);
    for (const _ of this.children(parent)) return true;
    return false;
  }

  tombstone(oid: Oid): Tombstone | undefined {
    const own = this.#tombstones.get(oid);
    return own === undefined ? this.#base.tombstone(oid) : (own ?? undefined);
  }

  alias(oid: Oid): Oid | undefined {
    return this.#aliases.get(oid) ?? this.#base.alias(oid);
  }

  outcome(origin: OriginId): Outcome | undefined {
    return this.#outcomes.get(originKey(origin)) ?? this.#base.outcome(origin);
  }

  redirect(origin: OriginId): Oid | undefined {
    return this.#redirects.get(originKey(origin));
  }

  /** Notes that the record of this origin, shown here, is about another object than its author named. */
  putRedirect(origin: OriginId, oid: Oid): void {
    this.#redirects.set(originKey(origin), oid);
  }

  /** The objects that the overlay changes, made anew or removed. */
  touchedObjects(): Iterable<Oid> {
    return this.#objects.keys();
  }

  /** The names that the overlay changes. */
  *touchedNames(): Iterable<{ readonly parent: Oid; readonly name: Name }> {
    for (const [parent, names] of this.#namesByParent) {
      for (const name of names) yield { parent, name };
    }
  }

  putObject(object: TreeObject): void {
    this.#objects.set(object.oid, object);
  }

  removeObject(oid: Oid): void {
    this.#objects.set(oid, null);
  }

  putEntry(entry: Entry): void {
    this.removeEntry(entry.parent, entry.name);
    const key = entryKey(entry.parent, entry.name);
    this.#entries.set(key, entry);
    let links = this.#linksByOid.get(entry.oid);
    if (links === undefined) this.#linksByOid.set(entry.oid, (links = new Few()));
    links.add(entry);
  }

  removeEntry(parent: Oid, name: Name): void {
    const key = entryKey(parent, name);
    this.#dropLink(key);
    this.#entries.set(key, null);
    let names = this.#namesByParent.get(parent);
    if (names === undefined) this.#namesByParent.set(parent, (names = new Set()));
    names.add(name);
  }

  putTombstone(tombstone: Tombstone): void {
    this.#tombstones.set(tombstone.object.oid, tombstone);
  }

  removeTombstone(oid: Oid): void {
    this.#tombstones.set(oid, null);
  }

  putAlias(alias: Oid, oid: Oid): void {
    this.#aliases.set(alias, oid);
  }

  putOutcome(origin: OriginId, outcome: Outcome): void {
    this.#outcomes.set(originKey(origin), outcome);
  }

  /** Shows what the base has of an object, living or removed. */
  forgetObject(oid: Oid): void {
    this.#objects.delete(oid);
    this.#tombstones.delete(oid);
  }

  /** Shows what the base has under a name. */
  forgetEntry(parent: Oid, name: Name): void {
    const key = entryKey(parent, name);
    this.#dropLink(key);
    this.#entries.delete(key);
    const names = this.#namesByParent.get(parent);
    names?.delete(name);
    if (names?.size === 0) this.#namesByParent.delete(parent);
  }

  forgetAlias(alias: Oid): void {
    this.#aliases.delete(alias);
  }

  /** @param key as {@link originKey} makes it */
  forgetRedirect(key: string): void {
    this.#redirects.delete(key);
  }

  #dropLink(key: string): void {
    const own = this.#entries.get(key);
    if (own === undefined || own === null) return;
    const links = this.#linksByOid.get(own.oid);
    links?.delete(own);
    if (links?.isEmpty === true) this.#linksByOid.delete(own.oid);
  }
}
