import type { Oid } from "../../kml/identity.ts";
import type { Name } from "../../kml/name.ts";
import type { OriginId } from "../../kml/operation.ts";
import type { Outcome } from "../../reintegrate/outcome.ts";
import type { OverlayState } from "../../replay/overlay-state.ts";
import type { MutableState } from "../../replay/state.ts";
import type { Entry, ObjectKind, Tombstone, TreeObject } from "../../replay/tree-object.ts";
import type { ShownRecord } from "./shown-record.ts";
import type { TreeFacts } from "./tree-facts.ts";

/** Is told of what is about to look different, before it does. */
export interface TouchListener {
  touchObject(oid: Oid): void;
  touchName(parent: Oid, name: Name): void;
}

/** The overlay as one pending record sees and changes it while it is shown: what it does is noted. */
export class TracedOverlay implements MutableState {
  readonly #overlay: OverlayState;
  readonly #facts: TreeFacts;
  readonly #record: ShownRecord;
  readonly #listener: TouchListener | null;

  constructor(
    overlay: OverlayState,
    facts: TreeFacts,
    record: ShownRecord,
    listener: TouchListener | null,
  ) {
    this.#overlay = overlay;
    this.#facts = facts;
    this.#record = record;
    this.#listener = listener;
  }

  object(oid: Oid): TreeObject | undefined {
    this.#readObject(oid);
    return this.#overlay.object(oid);
  }

  kind(oid: Oid): ObjectKind | undefined {
    const kind = this.#overlay.object(oid)?.kind;
    this.#record.noteKindSeen(this.#facts.kinds.at(oid), kind);
    return kind;
  }

  entry(parent: Oid, name: Name): Entry | undefined {
    this.#record.noteRead(this.#facts.entryAt(parent, name));
    return this.#overlay.entry(parent, name);
  }

  links(oid: Oid): readonly Entry[] {
    this.#readObject(oid);
    return this.#overlay.links(oid);
  }

  linkCount(oid: Oid, most: number): number {
    this.#readObject(oid);
    return this.#overlay.linkCount(oid, most);
  }

  children(parent: Oid): Iterable<Entry> {
    this.#record.noteRead(this.#facts.children.at(parent));
    return this.#overlay.children(parent);
  }

  hasChildren(parent: Oid): boolean {
    this.#record.noteRead(this.#facts.children.at(parent));
    return this.#overlay.hasChildren(parent);
  }

  tombstone(oid: Oid): Tombstone | undefined {
    this.#readObject(oid);
    return this.#overlay.tombstone(oid);
  }

  alias(oid: Oid): Oid | undefined {
    this.#record.noteRead(this.#facts.aliases.at(oid));
    return this.#overlay.alias(oid);
  }

  outcome(origin: OriginId): Outcome | undefined {
    this.#record.noteRead(this.#facts.originAt(origin));
    return this.#overlay.outcome(origin);
  }

  redirect(origin: OriginId): Oid | undefined {
    this.#record.noteRead(this.#facts.originAt(origin));
    return this.#overlay.redirect(origin);
  }

  putRedirect(origin: OriginId, oid: Oid): void {
    this.#record.noteWritten(this.#facts.originAt(origin));
    this.#overlay.putRedirect(origin, oid);
  }

  putObject(object: TreeObject): void {
    this.#writeKind(object.oid, object.kind);
    this.touchObject(object.oid);
    this.#overlay.putObject(object);
  }

  removeObject(oid: Oid): void {
    this.#writeKind(oid, undefined);
    this.touchObject(oid);
    this.#overlay.removeObject(oid);
  }

  putEntry(entry: Entry): void {
    this.#touchEntry(entry.parent, entry.name);
    // Its names are a fact about an object.
    this.touchObject(entry.oid);
    this.#overlay.putEntry(entry);
  }

  removeEntry(parent: Oid, name: Name): void {
    this.#touchEntry(parent, name);
    this.#overlay.removeEntry(parent, name);
  }

  putTombstone(tombstone: Tombstone): void {
    this.touchObject(tombstone.object.oid);
    this.#overlay.putTombstone(tombstone);
  }

  removeTombstone(oid: Oid): void {
    this.touchObject(oid);
    this.#overlay.removeTombstone(oid);
  }

  putAlias(alias: Oid, oid: Oid): void {
    this.#record.noteWritten(this.#facts.aliases.at(alias));
    this.#overlay.putAlias(alias, oid);
  }

  putOutcome(origin: OriginId, outcome: Outcome): void {
    this.#record.noteWritten(this.#facts.originAt(origin));
    this.#overlay.putOutcome(origin, outcome);
  }

  /** The record changes something about an object, in the overlay or in what is known beside it. */
  touchObject(oid: Oid): void {
    this.#listener?.touchObject(oid);
    this.#record.noteWritten(this.#facts.objects.at(oid));
  }

  #touchEntry(parent: Oid, name: Name): void {
    this.#listener?.touchName(parent, name);
    this.#record.noteWritten(this.#facts.entryAt(parent, name));
    this.#record.noteWritten(this.#facts.children.at(parent));
    const standing = this.#overlay.entry(parent, name);
    if (standing !== undefined) this.touchObject(standing.oid);
  }

  #readObject(oid: Oid): void {
    this.#record.noteRead(this.#facts.objects.at(oid));
  }

  #writeKind(oid: Oid, kind: ObjectKind | undefined): void {
    if (this.#overlay.object(oid)?.kind !== kind)
      this.#record.noteKindWritten(this.#facts.kinds.at(oid));
  }
}
