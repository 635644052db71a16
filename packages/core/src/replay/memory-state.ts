import { ROOT_OID, type Oid, type PeerId, type Recno } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { OriginId } from "../kml/operation.ts";
import type { Outcome } from "../reintegrate/outcome.ts";
import type { MutableState } from "./state.ts";
import { entryKey, type Entry, NO_XATTRS, type Tombstone, type TreeObject } from "./tree-object.ts";

/** The root of a fileset before its first record. */
export function rootObject(): TreeObject {
  return {
    oid: ROOT_OID,
    kind: "directory",
    creator: "0".repeat(32) as PeerId,
    mode: 0o755,
    uid: 0,
    gid: 0,
    attributesVersion: 0 as Recno,
    sizeBytes: 0,
    mtimeNs: 0n,
    sha256: null,
    contentVersion: 0 as Recno,
    target: "",
    rdev: 0,
    xattrs: NO_XATTRS,
    conflict: null,
  };
}

/** A whole state in memory: for the simulation, for tools that replay a log, and for browsers. */
export class MemoryState implements MutableState {
  readonly #objects = new Map<Oid, TreeObject>([[ROOT_OID, rootObject()]]);
  readonly #entries = new Map<Oid, Map<Name, Entry>>();
  readonly #links = new Map<Oid, Map<string, Entry>>();
  readonly #tombstones = new Map<Oid, Tombstone>();
  readonly #aliases = new Map<Oid, Oid>();
  readonly #outcomes = new Map<string, Outcome>();

  object(oid: Oid): TreeObject | undefined {
    return this.#objects.get(oid);
  }

  entry(parent: Oid, name: Name): Entry | undefined {
    return this.#entries.get(parent)?.get(name);
  }

  links(oid: Oid): readonly Entry[] {
    return [...(this.#links.get(oid)?.values() ?? [])];
  }

  children(parent: Oid): Iterable<Entry> {
    return this.#entries.get(parent)?.values() ?? [];
  }

  hasChildren(parent: Oid): boolean {
    return (this.#entries.get(parent)?.size ?? 0) > 0;
  }

  tombstone(oid: Oid): Tombstone | undefined {
    return this.#tombstones.get(oid);
  }

  alias(oid: Oid): Oid | undefined {
    return this.#aliases.get(oid);
  }

  outcome(origin: OriginId): Outcome | undefined {
    return this.#outcomes.get(originKey(origin));
  }

  /** All objects, for comparisons and exports. */
  objects(): Iterable<TreeObject> {
    return this.#objects.values();
  }

  putObject(object: TreeObject): void {
    this.#objects.set(object.oid, object);
  }

  removeObject(oid: Oid): void {
    this.#objects.delete(oid);
  }

  putEntry(entry: Entry): void {
    this.removeEntry(entry.parent, entry.name);
    getOrMake(this.#entries, entry.parent).set(entry.name, entry);
    getOrMake(this.#links, entry.oid).set(entryKey(entry.parent, entry.name), entry);
  }

  removeEntry(parent: Oid, name: Name): void {
    const old = this.entry(parent, name);
    if (old === undefined) return;
    this.#entries.get(parent)?.delete(name);
    this.#links.get(old.oid)?.delete(entryKey(parent, name));
  }

  putTombstone(tombstone: Tombstone): void {
    this.#tombstones.set(tombstone.object.oid, tombstone);
  }

  removeTombstone(oid: Oid): void {
    this.#tombstones.delete(oid);
  }

  putAlias(alias: Oid, oid: Oid): void {
    this.#aliases.set(alias, oid);
  }

  putOutcome(origin: OriginId, outcome: Outcome): void {
    this.#outcomes.set(originKey(origin), outcome);
  }
}

/** Key of a peer's record in maps. */
export function originKey(origin: OriginId): string {
  return `${origin.peer}/${origin.recno}`;
}

function getOrMake<K, L, V>(map: Map<K, Map<L, V>>, key: K): Map<L, V> {
  let inner = map.get(key);
  if (inner === undefined) {
    inner = new Map();
    map.set(key, inner);
  }
  return inner;
}
