import type { Oid } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { OriginId } from "../kml/operation.ts";
import type { Outcome } from "../reintegrate/outcome.ts";
import type { Entry, ObjectKind, Tombstone, TreeObject, Version } from "./tree-object.ts";

/**
 * A fileset's tree as replay has left it. The server keeps one in SQLite, a client keeps the
 * authoritative one in SQLite and an overlay of its pending records in memory, and the simulation
 * keeps all of them in memory: the same functions give all of them meaning.
 */
export interface StateReader {
  object(oid: Oid): TreeObject | undefined;
  /**
   * What an object is; undefined where there is none. Who needs to know no more asks this: a state that
   * keeps account of what depends on what has it of its own.
   */
  kind?(oid: Oid): ObjectKind | undefined;
  entry(parent: Oid, name: Name): Entry | undefined;
  /** All names of an object; empty for the root and for what is gone. */
  links(oid: Oid): readonly Entry[];
  /** As {@link linkCount}, of a state that can say so without naming them all. */
  linkCount?(oid: Oid, most: number): number;
  /** Entries of a directory, in no promised order. */
  children(parent: Oid): Iterable<Entry>;
  hasChildren(parent: Oid): boolean;
  tombstone(oid: Oid): Tombstone | undefined;
  /** The object that this id stands for since a merge (one step), or undefined. */
  alias(oid: Oid): Oid | undefined;
  /** What became of a peer's record, or undefined while the log has no trace of it. */
  outcome(origin: OriginId): Outcome | undefined;
  /**
   * Where a record went that is shown here and has no outcome yet: it goes on with an earlier one that
   * became a copy, or merged. Only a client's visible state knows such records.
   */
  redirect?(origin: OriginId): Oid | undefined;
}

/** A state that replay can change. `at` is the version that the change establishes. */
export interface MutableState extends StateReader {
  putObject(object: TreeObject, at: Version): void;
  removeObject(oid: Oid, at: Version): void;
  putEntry(entry: Entry, at: Version): void;
  removeEntry(parent: Oid, name: Name, at: Version): void;
  putTombstone(tombstone: Tombstone): void;
  removeTombstone(oid: Oid): void;
  putAlias(alias: Oid, oid: Oid, at: Version): void;
  putOutcome(origin: OriginId, outcome: Outcome): void;
}
