import type { Oid } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { OriginId } from "../kml/operation.ts";
import type { Outcome } from "../reintegrate/outcome.ts";
import { ReadThrough } from "../replay/read-through.ts";
import type { MutableState, StateReader } from "../replay/state.ts";
import {
  entryKey,
  type Entry,
  type Tombstone,
  type TreeObject,
  type Version,
} from "../replay/tree-object.ts";
import { BaseChanges } from "./base-changes.ts";

/** A name that means another object than before, or nothing, or something again. */
export interface NameChange {
  readonly parent: Oid;
  readonly name: Name;
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
}

/** An object whose content or attributes differ from before, or that came or went. */
export interface ObjectChange {
  readonly oid: Oid;
  readonly before: TreeObject | undefined;
  readonly after: TreeObject | undefined;
}

/** The local content of one object that now belongs to another: a conflict copy, or a merged object. */
export interface ContentMove {
  readonly from: Oid;
  readonly to: Oid;
}

/** What has to change in the cache so that it shows the visible tree again. */
export interface ChangeSet {
  readonly names: readonly NameChange[];
  readonly objects: readonly ObjectChange[];
  readonly moves: readonly ContentMove[];
}

/** Remembers how touched objects and names looked before their first change. */
export class Footprint {
  readonly #before: StateReader;
  readonly #objects = new Map<Oid, TreeObject | undefined>();
  readonly #names = new Map<string, { parent: Oid; name: Name; before: Entry | undefined }>();

  /** @param before the visible tree; it may still change below, but only after a key was touched */
  constructor(before: StateReader) {
    this.#before = before;
  }

  touchObject(oid: Oid): void {
    if (!this.#objects.has(oid)) this.#objects.set(oid, this.#before.object(oid));
  }

  touchName(parent: Oid, name: Name): void {
    const key = entryKey(parent, name);
    if (!this.#names.has(key))
      this.#names.set(key, { parent, name, before: this.#before.entry(parent, name) });
  }

  /** The touched keys that look different now. */
  compare(after: StateReader, moves: readonly ContentMove[]): ChangeSet {
    const names: NameChange[] = [];
    for (const { parent, name, before } of this.#names.values()) {
      const now = after.entry(parent, name);
      if (before?.oid !== now?.oid) names.push({ parent, name, before, after: now });
    }
    const objects: ObjectChange[] = [];
    for (const [oid, before] of this.#objects) {
      const now = after.object(oid);
      if (!looksAlike(before, now)) objects.push({ oid, before, after: now });
    }
    return { names, objects, moves };
  }
}

/**
 * Lets every change to a state leave its footprint first and notes it, and keeps outcomes out that are not
 * this peer's own although they bear its id (design P2): what builds on own records must not follow them.
 */
export class FootprintState extends ReadThrough implements MutableState {
  readonly changes = new BaseChanges();
  readonly #state: MutableState;
  readonly #footprint: Footprint;

  readonly #isForeign: (origin: OriginId, check: string) => boolean;

  constructor(
    state: MutableState,
    footprint: Footprint,
    isForeign: (origin: OriginId, check: string) => boolean,
  ) {
    super(state);
    this.#state = state;
    this.#footprint = footprint;
    this.#isForeign = isForeign;
  }

  putObject(object: TreeObject, at: Version): void {
    this.#footprint.touchObject(object.oid);
    this.changes.objects.add(object.oid);
    this.#state.putObject(object, at);
  }

  removeObject(oid: Oid, at: Version): void {
    this.#footprint.touchObject(oid);
    this.changes.objects.add(oid);
    this.#state.removeObject(oid, at);
  }

  putEntry(entry: Entry, at: Version): void {
    this.#noteEntry(entry.parent, entry.name);
    this.changes.objects.add(entry.oid);
    this.#state.putEntry(entry, at);
  }

  removeEntry(parent: Oid, name: Name, at: Version): void {
    this.#noteEntry(parent, name);
    this.#state.removeEntry(parent, name, at);
  }

  putTombstone(tombstone: Tombstone): void {
    this.changes.objects.add(tombstone.object.oid);
    this.#state.putTombstone(tombstone);
  }

  removeTombstone(oid: Oid): void {
    this.changes.objects.add(oid);
    this.#state.removeTombstone(oid);
  }

  putAlias(alias: Oid, oid: Oid, at: Version): void {
    this.changes.aliases.add(alias);
    this.#state.putAlias(alias, oid, at);
  }

  putOutcome(origin: OriginId, outcome: Outcome): void {
    if (this.#isForeign(origin, outcome.check)) return;
    this.changes.noteOutcome(origin);
    this.#state.putOutcome(origin, outcome);
  }

  #noteEntry(parent: Oid, name: Name): void {
    this.#footprint.touchName(parent, name);
    this.changes.noteEntry(parent, name);
    const standing = this.#state.entry(parent, name);
    if (standing !== undefined) this.changes.objects.add(standing.oid);
  }
}

/** Tells whether two values of an object look the same to a program; versions do not show. */
function looksAlike(a: TreeObject | undefined, b: TreeObject | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.sizeBytes === b.sizeBytes &&
    a.mtimeNs === b.mtimeNs &&
    a.sha256 === b.sha256 &&
    a.target === b.target &&
    a.xattrs.size === b.xattrs.size &&
    [...a.xattrs].every(([name, { value }]) => isSameValue(value, b.xattrs.get(name)?.value))
  );
}

function isSameValue(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((byte, index) => byte === b[index]);
}
