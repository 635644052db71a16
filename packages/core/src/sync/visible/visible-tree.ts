/**
 * The visible tree of a client: the authoritative state under an overlay of its pending records, each
 * shown on top of those before it (design C5).
 *
 * It is the tree that one gets by showing all of them anew after every change, and costs what has
 * changed: of each record is known which facts it read and wrote, and only those are shown anew that
 * have to do with a fact that is another than before. A hundred thousand records may wait while a large
 * tree is sent, and each pull is about a few of them.
 */

import type { Oid, Recno } from "../../kml/identity.ts";
import type { Name } from "../../kml/name.ts";
import type { ClientOperation, OriginId, SealedOperation } from "../../kml/operation.ts";
import { continuingOid } from "../../reintegrate/outcome.ts";
import { resolveOperation } from "../../reintegrate/resolve.ts";
import { originKey } from "../../replay/memory-state.ts";
import { OverlayState } from "../../replay/overlay-state.ts";
import { applyOperation } from "../../replay/replay.ts";
import type { StateReader } from "../../replay/state.ts";
import { placeOfKey, type TreeObject } from "../../replay/tree-object.ts";
import type { BaseChanges } from "../base-changes.ts";
import type { Footprint } from "../change-set.ts";
import { type ContentsBefore, type ContentSource, ShownContents } from "../content-moves.ts";
import type { PendingLog } from "../pending-log.ts";
import { lastCovered, type PendingRecord } from "../pending-record.ts";
import { StrayWork } from "../stray-work.ts";
import { Connections } from "./connections.ts";
import type { Fact } from "./fact.ts";
import { ShownRecord } from "./shown-record.ts";
import { TracedOverlay, type TouchListener } from "./traced-overlay.ts";
import { TreeFacts } from "./tree-facts.ts";

export class VisibleTree {
  readonly overlay: OverlayState;
  readonly contents = new ShownContents();
  readonly #pending: PendingLog;
  readonly #stray = new StrayWork();
  /** All that waits, unsent and frozen ones by their numbers in the own log. */
  readonly #records = new Map<Recno, ShownRecord>();
  readonly #facts: TreeFacts;
  /** To be shown anew by the next rebase, or not any more. */
  readonly #stale = new Set<ShownRecord>();
  #touched: Touched | null = null;

  /** Shows all that waits. */
  constructor(base: StateReader, pending: PendingLog) {
    this.overlay = new OverlayState(base);
    this.#pending = pending;
    this.#facts = new TreeFacts({
      object: (oid) => this.#undoObject(oid),
      entry: (key) => this.#undoEntry(key),
      alias: (oid) => this.overlay.forgetAlias(oid),
      origin: (key) => this.overlay.forgetRedirect(key),
    });
    for (const { submitted } of pending.frozen)
      this.#stale.add(this.#register(submitted.origin.recno, true));
    for (const { recno } of pending.unsent) this.#stale.add(this.#register(recno, false));
    this.rebase(null, null);
  }

  /** Shows an unsent record that was just made, as its author meant it: he saw all that is there. */
  add(recno: Recno): void {
    const record = this.#register(recno, false);
    if (!this.#show(record, (meant) => meant)) this.#stale.add(record);
  }

  /** Records were frozen as one, or not at all: it looks the same until the next rebase. */
  freeze(covers: readonly Recno[], originRecno: Recno): void {
    for (const recno of covers) this.drop(recno);
    if (this.#pending.frozenRecord(originRecno) !== undefined)
      this.#stale.add(this.#register(originRecno, true));
  }

  /** A record does not wait any more; it is shown until the next rebase. */
  drop(recno: Recno): void {
    const record = this.#records.get(recno);
    if (record === undefined) return;
    record.isGone = true;
    this.#records.delete(recno);
    this.#stale.add(record);
    // What builds on it builds on something else from now on.
    const origin = this.#facts.origins.find(originKey(this.#originOf(recno)));
    for (const reader of origin?.readers ?? []) this.#stale.add(reader);
  }

  /**
   * Shows the content that an open CLOSE was sealed with, where that is no more than to write it down: to
   * show ten thousand sealed saves of one file anew, one by one, would take their square in steps.
   *
   * @param opened the CLOSE as it was
   * @returns whether it is shown only by a rebase
   */
  seal(opened: PendingRecord, { sizeBytes, mtimeNs, sha256 }: SealedOperation): boolean {
    const { recno, operation } = opened;
    if (this.#stray.noteSealed(this.#originOf(recno))) this.#markStale(recno);
    // An atomic save shows the content of the CLOSE under the object that was saved, and its own version.
    const oid = this.contents.homeOf(recno);
    const object = oid === undefined ? undefined : this.overlay.object(oid);
    if (object === undefined) {
      // A later content hides it, or its object was removed, and may come back.
      this.#markStale(recno);
      return false;
    }
    if (!this.#showsContentOf(object, recno)) {
      // The content went on under another record in a way of its own.
      this.#markStale(recno);
      return true;
    }
    const isTimeOfContent = operation.opcode === "CLOSE" && operation.mtimeNs === object.mtimeNs;
    const shown = { ...object, sizeBytes, sha256, ...(isTimeOfContent && { mtimeNs }) };
    this.overlay.putObject(shown);
    return false;
  }

  /**
   * Shows anew what has to be, after records that wait or the state below have changed.
   *
   * @param changes of the state below since the last time
   * @param footprint notes what may look different, before it does
   * @returns whose contents the objects showed before, of those that this was about
   */
  rebase(changes: BaseChanges | null, footprint: Footprint | null): ContentsBefore {
    this.#touched = new Touched(footprint, this.contents);
    const affected = new Set<ShownRecord>();
    /** Objects that may be something else than they were, or not there. */
    const kinds = new Set(changes?.objects);
    let found = this.#stale.union(this.#meeting(changes)).union(this.#seeingOther(kinds));
    while (found.size > 0) {
      this.#addConnected(found, affected);
      found = this.#showAnew(affected, kinds);
    }
    this.#stale.clear();
    if (this.#records.size === 0) this.#stray.clear();
    const { contents } = this.#touched;
    this.#touched = null;
    return contents;
  }

  /** Records that have to do with what has changed below. */
  #meeting(changes: BaseChanges | null): Set<ShownRecord> {
    const { objects, entries, children, aliases, origins } = this.#facts;
    const found = new Set<ShownRecord>();
    if (changes === null) return found;
    for (const oid of changes.objects) addAll(found, usersOf(objects.find(oid)));
    for (const key of changes.entries) addAll(found, usersOf(entries.find(key)));
    for (const oid of changes.parents) addAll(found, children.find(oid)?.readers ?? []);
    for (const oid of changes.aliases) addAll(found, usersOf(aliases.find(oid)));
    for (const key of changes.origins) addAll(found, usersOf(origins.find(key)));
    return found;
  }

  /** Adds records, and all that have to do with what they write, or write what they read. */
  #addConnected(found: Iterable<ShownRecord>, affected: Set<ShownRecord>): void {
    const connections = new Connections();
    const waiting = [...found];
    for (let record = waiting.pop(); record !== undefined; record = waiting.pop()) {
      if (affected.has(record)) continue;
      affected.add(record);
      for (const other of connections.of(record)) if (!affected.has(other)) waiting.push(other);
    }
  }

  /**
   * Takes back what these records have written, and shows them anew on top of the state below.
   *
   * @param affected holds all that write the same as one of them
   * @returns others with which they have to do now
   */
  #showAnew(affected: ReadonlySet<ShownRecord>, kinds: Set<Oid>): Set<ShownRecord> {
    for (const record of affected) {
      for (const fact of record.writes) fact.undo();
      for (const { key } of record.kindsWritten) kinds.add(key as Oid);
      this.#stray.forgetVersion(this.#originOf(record.recno));
      record.forget();
    }
    const shown = [...affected].filter(({ isGone }) => !isGone).toSorted((a, b) => a.compare(b));
    try {
      for (const record of shown) this.#show(record, (meant) => this.#stray.spare(meant));
    } catch (error) {
      // It has met a tree of which a part is of before. All together they are shown on a whole one.
      const others = new Set(this.#records.values()).difference(affected);
      if (others.size === 0) throw error;
      return others;
    }
    for (const { kindsWritten } of shown) for (const { key } of kindsWritten) kinds.add(key as Oid);
    const met = this.#seeingOther(kinds);
    const connections = new Connections();
    for (const record of shown) {
      addAll(met, connections.of(record));
      addAll(met, record.foreseen());
    }
    return met.difference(affected);
  }

  /** Records that have found one of these objects to be something else than it is for them now. */
  #seeingOther(kinds: ReadonlySet<Oid>): Set<ShownRecord> {
    const seeing = new Set<ShownRecord>();
    for (const oid of kinds) {
      const fact = this.#facts.kinds.find(oid);
      if (fact === undefined) continue;
      const now = this.overlay.object(oid)?.kind;
      const last = lastOf(fact.writers);
      for (const reader of fact.readers) {
        const isSettled = last === undefined || last.compare(reader) < 0;
        if (!isSettled || !reader.hasSeen(fact, now)) seeing.add(reader);
      }
    }
    return seeing;
  }

  /**
   * @param spare says of an operation what of it is shown
   * @returns whether it is shown as the next rebase would show it
   */
  #show(record: ShownRecord, spare: (meant: ClientOperation) => ClientOperation): boolean {
    const isFinal = this.#apply(record, spare);
    record.settle();
    return isFinal;
  }

  #apply(record: ShownRecord, spare: (meant: ClientOperation) => ClientOperation): boolean {
    const { operation, at, contentRecno } = this.#waiting(record);
    const state = new TracedOverlay(this.overlay, this.#facts, record, this.#touched);
    const resolution = resolveOperation(operation, state);
    // A record whose base was refused will be refused with it: its author already lost that tree. A
    // content will not (K5).
    if (resolution.kind !== "resolved") return true;
    // What is known of their contents is kept beside the tree.
    for (const touched of objectsOf(resolution.operation)) state.touchObject(touched);
    const spared = this.#stray.spare(resolution.operation);
    const shown = spare(resolution.operation);
    applyOperation(shown, at, at.peer, state);
    const oid = whereItGoesOn(resolution.operation, state);
    if (oid !== continuingOid(operation)) state.putRedirect(at, oid);
    this.#stray.note(shown, at, state);
    this.contents.note(shown, contentRecno, state);
    return shown === spared;
  }

  #waiting({ recno, isFrozen }: ShownRecord): Waiting {
    const at = this.#originOf(recno);
    if (!isFrozen) {
      const { operation } = this.#pending.unsentFollowed(recno)!;
      return { operation, at, contentRecno: recno };
    }
    const frozen = this.#pending.frozenRecord(recno)!;
    return { operation: frozen.submitted.operation, at, contentRecno: lastCovered(frozen) };
  }

  /** Whether an object has the open content of this own CLOSE: under its version, or that of a save of it. */
  #showsContentOf({ contentVersion, sha256 }: TreeObject, recno: Recno): boolean {
    if (typeof contentVersion === "number" || contentVersion.peer !== this.#pending.peer)
      return false;
    if (contentVersion.recno === recno) return true;
    const saved = this.#pending.unsentRecord(contentVersion.recno)?.operation;
    if (saved?.opcode !== "RENAME" || !saved.keepsOid || sha256 !== null) return false;
    const { contentBase } = saved;
    return typeof contentBase !== "number" && contentBase.recno === recno;
  }

  #register(recno: Recno, isFrozen: boolean): ShownRecord {
    const record = new ShownRecord(recno, isFrozen);
    this.#records.set(recno, record);
    return record;
  }

  #markStale(recno: Recno): void {
    const record = this.#records.get(recno);
    if (record !== undefined) this.#stale.add(record);
  }

  #originOf(recno: Recno): OriginId {
    return { peer: this.#pending.peer, recno };
  }

  #undoObject(oid: Oid): void {
    this.#touched?.touchObject(oid);
    this.overlay.forgetObject(oid);
    this.#stray.forgetObject(oid);
    this.contents.forget(oid);
  }

  #undoEntry(key: string): void {
    const { parent, name } = placeOfKey(key);
    this.#touched?.touchName(parent, name);
    this.overlay.forgetEntry(parent, name);
  }
}

/** What is shown of a record that waits. */
interface Waiting {
  readonly operation: ClientOperation;
  /** The version that it establishes. */
  readonly at: OriginId;
  /** The own record whose content it carries. */
  readonly contentRecno: Recno;
}

/** What a rebase is about, noted before it changes it. */
class Touched implements TouchListener {
  readonly contents = new Map<Oid, ContentSource | undefined>();
  readonly #footprint: Footprint | null;
  readonly #shown: ShownContents;

  constructor(footprint: Footprint | null, shown: ShownContents) {
    this.#footprint = footprint;
    this.#shown = shown;
  }

  touchObject(oid: Oid): void {
    this.#footprint?.touchObject(oid);
    if (!this.contents.has(oid)) this.contents.set(oid, this.#shown.sourceOf(oid));
  }

  touchName(parent: Oid, name: Name): void {
    this.#footprint?.touchName(parent, name);
  }
}

/** The object on which records go on that build on one that was just shown. */
function whereItGoesOn(operation: ClientOperation, visible: StateReader): Oid {
  // What it was to be saved over stands elsewhere, or nowhere: it has become a move, and the file goes on as itself.
  const isMove =
    operation.opcode === "RENAME" &&
    operation.keepsOid &&
    visible.object(operation.oid) !== undefined;
  return isMove ? operation.oid : continuingOid(operation);
}

function* usersOf(fact: Fact | undefined): Generator<ShownRecord, void> {
  if (fact === undefined) return;
  yield* fact.readers;
  yield* fact.writers;
}

/** The one of these that is shown last. */
function lastOf(records: Iterable<ShownRecord>): ShownRecord | undefined {
  let last: ShownRecord | undefined;
  for (const record of records) if (last === undefined || record.compare(last) > 0) last = record;
  return last;
}

function addAll<T>(set: Set<T>, values: Iterable<T>): void {
  for (const value of values) set.add(value);
}

/** The objects whose contents a record is about. */
function objectsOf(operation: ClientOperation): readonly Oid[] {
  switch (operation.opcode) {
    case "CREATE":
    case "CLOSE":
    case "UNLINK":
      return [operation.oid];
    case "RENAME":
      return operation.victim === null ? [operation.oid] : [operation.oid, operation.victim.oid];
    default:
      return [];
  }
}
