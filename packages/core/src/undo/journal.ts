import type { Oid, Recno } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { OriginId } from "../kml/operation.ts";
import type { Outcome } from "../reintegrate/outcome.ts";
import { MemoryState } from "../replay/memory-state.ts";
import { ReadThrough } from "../replay/read-through.ts";
import type { MutableState } from "../replay/state.ts";
import {
  authoritativeRecno,
  entryKey,
  type Entry,
  type Tombstone,
  type TreeObject,
  type Version,
} from "../replay/tree-object.ts";

/** What something was from a record on: undefined while it was not there. */
export interface Spell<T> {
  /** Null for what was there before the first record of the journal. */
  readonly by: Recno | null;
  readonly value: T | undefined;
}

/** A name, and what it stood for. */
export interface NameSpells {
  readonly parent: Oid;
  readonly name: Name;
  readonly spells: readonly Spell<Entry>[];
}

/** A state that remembers, for each object and name that a replayed record changes, what it was when. */
export class Journal extends ReadThrough implements MutableState {
  /** As the last record has left it. */
  readonly state: MemoryState;
  readonly #objects = new Map<Oid, Spell<TreeObject>[]>();
  readonly #names = new Map<string, { parent: Oid; name: Name; spells: Spell<Entry>[] }>();

  /** @param state as it was before the first record; it is changed */
  constructor(state: MemoryState) {
    super(state);
    this.state = state;
  }

  /** The objects that were changed, in the order of their first change. */
  objects(): Iterable<readonly [Oid, readonly Spell<TreeObject>[]]> {
    return this.#objects;
  }

  names(): Iterable<NameSpells> {
    return this.#names.values();
  }

  /** What a name stood for; none where no record changed that. */
  spellsOf(parent: Oid, name: Name): readonly Spell<Entry>[] {
    return this.#names.get(entryKey(parent, name))?.spells ?? [];
  }

  putObject(object: TreeObject, at: Version): void {
    this.#noteObject(object.oid, object, at);
    this.state.putObject(object);
  }

  removeObject(oid: Oid, at: Version): void {
    this.#noteObject(oid, undefined, at);
    this.state.removeObject(oid);
  }

  putEntry(entry: Entry, at: Version): void {
    this.#noteName(entry.parent, entry.name, entry, at);
    this.state.putEntry(entry);
  }

  removeEntry(parent: Oid, name: Name, at: Version): void {
    this.#noteName(parent, name, undefined, at);
    this.state.removeEntry(parent, name);
  }

  putTombstone(tombstone: Tombstone): void {
    this.state.putTombstone(tombstone);
  }

  removeTombstone(oid: Oid): void {
    this.state.removeTombstone(oid);
  }

  putAlias(alias: Oid, oid: Oid): void {
    this.state.putAlias(alias, oid);
  }

  putOutcome(origin: OriginId, outcome: Outcome): void {
    this.state.putOutcome(origin, outcome);
  }

  #noteObject(oid: Oid, value: TreeObject | undefined, at: Version): void {
    let spells = this.#objects.get(oid);
    if (spells === undefined) {
      this.#objects.set(oid, (spells = [{ by: null, value: this.state.object(oid) }]));
    }
    addSpell(spells, value, at);
  }

  #noteName(parent: Oid, name: Name, value: Entry | undefined, at: Version): void {
    const key = entryKey(parent, name);
    let noted = this.#names.get(key);
    if (noted === undefined) {
      const spells = [{ by: null, value: this.state.entry(parent, name) }];
      this.#names.set(key, (noted = { parent, name, spells }));
    }
    addSpell(noted.spells, value, at);
  }
}

/** Of what one record does to the same thing twice only the last counts. */
function addSpell<T>(spells: Spell<T>[], value: T | undefined, at: Version): void {
  const by = authoritativeRecno(at);
  if (spells.at(-1)?.by === by) spells.pop();
  spells.push({ by, value });
}
