import type { Oid } from "../../kml/identity.ts";
import type { Name } from "../../kml/name.ts";
import type { OriginId } from "../../kml/operation.ts";
import { originKey } from "../../replay/memory-state.ts";
import { entryKey } from "../../replay/tree-object.ts";
import { type Fact, Facts } from "./fact.ts";

/** How what pending records made of each sort of fact is taken back. */
export interface TreeUndo {
  readonly object: (oid: Oid) => void;
  readonly entry: (key: string) => void;
  readonly alias: (oid: Oid) => void;
  readonly origin: (key: string) => void;
}

/** All facts of a tree that pending records read or write. */
export class TreeFacts {
  /** Objects, living or removed, with their names and with what own contents are in them. */
  readonly objects: Facts;
  /** No more than what an object is: most only need it to be a directory. */
  readonly kinds: Facts;
  /** Entries, by their keys. */
  readonly entries: Facts;
  /** All entries of a directory together. */
  readonly children: Facts;
  readonly aliases: Facts;
  /** What became of own records, by the keys of their origins. */
  readonly origins: Facts;

  constructor(undo: TreeUndo) {
    this.objects = new Facts((oid) => undo.object(oid as Oid));
    this.kinds = new Facts(() => {});
    this.entries = new Facts(undo.entry);
    this.children = new Facts(() => {}, { isShared: true });
    this.aliases = new Facts((oid) => undo.alias(oid as Oid));
    this.origins = new Facts(undo.origin);
  }

  entryAt(parent: Oid, name: Name): Fact {
    return this.entries.at(entryKey(parent, name));
  }

  originAt(origin: OriginId): Fact {
    return this.origins.at(originKey(origin));
  }
}
