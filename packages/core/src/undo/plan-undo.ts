/**
 * Undo, planned: which operations take back what some records of the log did, and leave what others did.
 *
 * Everything that a record can change is looked at by itself: a content, the attributes, each extended
 * attribute, each name, whether an object is there. What it is now by the doing of selected records
 * becomes what it was before them; where somebody else changed it since, it stays, and is listed. The
 * operations carry the bases of the tree that they were planned against, so the judge protects what
 * comes in between (design D3, §7). Nothing is rewritten: an undo is records like all others.
 */

import {
  EMPTY_SHA256,
  type Oid,
  type PeerId,
  type Recno,
  ROOT_OID,
  type Sha256,
} from "../kml/identity.ts";
import type { ServerRecord } from "../kml/record.ts";
import { resolveOid } from "../reintegrate/resolve.ts";
import type { MemoryState } from "../replay/memory-state.ts";
import { isWithin, lastPath } from "../replay/path-of.ts";
import { replay } from "../replay/replay.ts";
import { authoritativeRecno, type Entry, type TreeObject } from "../replay/tree-object.ts";
import { Journal, type Spell } from "./journal.ts";
import type { LeftAlone, LeftAloneReason, Revival, UndoPlan } from "./undo-plan.ts";
import { UndoWriter } from "./undo-writer.ts";
import { walkBack, type Walked } from "./walk-back.ts";
import { isFree, type NameChanges, type Place, wantedNames } from "./wanted-names.ts";

export interface UndoInput {
  /** The tree before the first of the records, as far as they change it; it is used up. */
  readonly before: MemoryState;
  /** All records from there to the head, in the order of the log. */
  readonly records: readonly ServerRecord[];
  /** The records to be undone. */
  readonly selected: ReadonlySet<Recno>;
  /** Tells whether the server has a content still. */
  readonly hasContent: (sha256: Sha256) => boolean;
  /** Under whose id the operations are made; its records are numbered from 1. */
  readonly peer: PeerId;
  /** An id for what cannot return under its own. */
  readonly newOid: () => Oid;
}

/** Plans the undo of some records of the log. */
export function planUndo(input: UndoInput): UndoPlan {
  return new UndoPlanner(input).plan();
}

/** Something that waits for its place: for a name to become free, a directory to be made or emptied. */
interface Task {
  readonly oid: Oid;
  readonly from: Entry | null;
  readonly to: Place | null;
  /** What is made anew at the place; undefined for a move, a further name, a removal. */
  readonly made?: TreeObject;
}

/** A task, and where its object is by now: elsewhere once it got out of the way. */
interface Waiting {
  readonly task: Task;
  readonly from: Entry | null;
}

/** Aspects of an object that lives on: which part of it, and how it is put back. */
interface Aspect {
  readonly keyOf: (object: TreeObject | undefined) => unknown;
  readonly reason: LeftAloneReason;
  readonly restore: (oid: Oid, was: TreeObject) => void;
}

const NO_CHANGES: NameChanges = { toLose: [], toGet: [], movedOnBy: null, keptBy: null };

class UndoPlanner {
  readonly #input: UndoInput;
  readonly #journal: Journal;
  #writer: UndoWriter;
  #revivals: Revival[] = [];
  readonly #leftAlone = new Map<string, LeftAlone>();
  readonly #tasks: Task[] = [];
  /** Ids of those that return under another one than they had. */
  readonly #renewed = new Map<Oid, Oid>();
  /** Directories in whose stead others stand, and those. */
  readonly #merged = new Map<Oid, Oid>();

  constructor(input: UndoInput) {
    this.#input = input;
    this.#journal = new Journal(input.before);
    for (const record of input.records) {
      replay(record, this.#journal, (record.recno - 1) as Recno);
    }
    this.#writer = new UndoWriter(this.#journal.state, input.peer);
  }

  plan(): UndoPlan {
    this.#planPlaces();
    this.#doTasks();
    for (const [oid, spells] of this.#journal.objects()) this.#restoreAspects(oid, spells);
    return {
      operations: this.#writer.operations,
      revivals: this.#revivals,
      leftAlone: [...this.#leftAlone.values()],
    };
  }

  readonly #isSelected = (recno: Recno): boolean => this.#input.selected.has(recno);

  #planPlaces(): void {
    const names = wantedNames(this.#journal, {
      isSelected: this.#isSelected,
      operationOf: (recno) => this.#operationOf(recno),
    });
    for (const [oid, spells] of this.#journal.objects()) {
      const changes = names.get(oid) ?? NO_CHANGES;
      const presence = walkBack(spells, (object) => object !== undefined, this.#isSelected);
      if (this.#journal.object(oid) === undefined) this.#bringBack(oid, spells, presence, changes);
      else if (presence.kind === "undone" && presence.value === undefined) {
        this.#takeAway(oid, spells, changes.toLose);
      } else this.#rename(oid, changes);
      names.delete(oid);
    }
    // Objects that were moved or linked, and are otherwise as they were.
    for (const [oid, changes] of names) {
      if (this.#journal.object(oid) !== undefined) this.#rename(oid, changes);
    }
  }

  /** Makes a removed object anew, as it was before selected records changed and removed it. */
  #bringBack(
    oid: Oid,
    spells: readonly Spell<TreeObject>[],
    presence: Walked<TreeObject>,
    { toGet, keptBy }: NameChanges,
  ): void {
    if (presence.kind !== "undone") this.#leaveRemoved(oid, spells);
    if (presence.kind !== "undone" || presence.value === undefined) return;
    const object = this.#asItWas(spells);
    if (!this.#isHere(object)) return this.#leave(oid, "content-gone", null);
    const last = this.#journal.tombstone(oid);
    const [place, ...others] = toGet.length > 0 || last === undefined ? toGet : [last];
    if (place === undefined) {
      this.#leave(oid, "name-taken", keptBy);
      return;
    }
    if (last === undefined) this.#renewed.set(oid, this.#input.newOid());
    this.#tasks.push({ oid, from: null, to: place, made: object });
    for (const other of others) this.#tasks.push({ oid, from: null, to: other });
  }

  /** Whatever selected records had changed in it went with it. */
  #leaveRemoved(oid: Oid, spells: readonly Spell<TreeObject>[]): void {
    const wasChanged = spells.some(({ by }) => by !== null && this.#isSelected(by));
    // One that ended by an atomic save lives on in what it was saved to.
    if (wasChanged && this.#journal.tombstone(oid) !== undefined) {
      this.#leave(oid, "removed-since", spells.at(-1)!.by);
    }
  }

  /** The last value of a removed object, without what selected records had changed in it before. */
  #asItWas(spells: readonly Spell<TreeObject>[]): TreeObject {
    const present = spells.filter(({ value }) => value !== undefined);
    const last = present.at(-1)!.value!;
    let object = last;
    const content = walkBack(present, contentKey, this.#isSelected);
    if (content.kind === "undone" && content.value !== undefined) {
      const { sizeBytes, mtimeNs, sha256 } = content.value;
      object = { ...object, sizeBytes, mtimeNs, sha256 };
    } else {
      const times = walkBack(present, timesKey, this.#isSelected);
      if (times.kind === "undone" && times.value !== undefined) {
        object = { ...object, mtimeNs: times.value.mtimeNs };
      }
    }
    const attributes = walkBack(present, attributesKey, this.#isSelected);
    if (attributes.kind === "undone" && attributes.value !== undefined) {
      const { mode, uid, gid } = attributes.value;
      object = { ...object, mode, uid, gid };
    }
    const xattrs = new Map(last.xattrs);
    for (const name of attributeNames(present)) {
      const walked = walkBack(present, (value) => attributeKey(value, name), this.#isSelected);
      if (walked.kind !== "undone") continue;
      const was = walked.value?.xattrs.get(name);
      if (was === undefined) xattrs.delete(name);
      else xattrs.set(name, was);
    }
    return { ...object, xattrs };
  }

  /** Removes what selected records made, where nobody else has made something of it. */
  #takeAway(oid: Oid, spells: readonly Spell<TreeObject>[], toLose: readonly Entry[]): void {
    const changed = spells.findLast(
      ({ by, value }) => by !== null && value !== undefined && !this.#isSelected(by),
    );
    if (changed !== undefined) return this.#leave(oid, "edited-since", changed.by);
    const links = this.#journal.links(oid);
    const given = links.find((link) => !this.#isSelected(authoritativeRecno(link.version)));
    if (given !== undefined) {
      return this.#leave(oid, "moved-since", authoritativeRecno(given.version));
    }
    for (const entry of toLose) this.#tasks.push({ oid, from: entry, to: null });
  }

  #rename(oid: Oid, { toLose, toGet, movedOnBy, keptBy }: NameChanges): void {
    if (movedOnBy !== null) this.#leave(oid, "moved-since", movedOnBy);
    const moves = Math.min(toLose.length, toGet.length);
    for (const [at, to] of toGet.entries()) {
      this.#tasks.push({ oid, from: toLose[at] ?? null, to });
    }
    const names = this.#journal.links(oid).length;
    for (const entry of toLose.slice(moves)) {
      const isFurther = names > toLose.length - moves;
      // Whose old name somebody else has by now stays where it was moved.
      const isOnlyMove = keptBy !== null && this.#wasMoved(oid, authoritativeRecno(entry.version));
      if (isFurther && !isOnlyMove) this.#tasks.push({ oid, from: entry, to: null });
      else this.#leave(oid, "name-taken", keptBy);
    }
  }

  /** Tells whether a record moved the object, as opposed to giving it one more name. */
  #wasMoved(oid: Oid, recno: Recno): boolean {
    const operation = this.#operationOf(recno);
    return operation?.opcode === "RENAME" && operation.oid === oid;
  }

  #operationOf(recno: Recno): ServerRecord["operation"] | undefined {
    const { records } = this.#input;
    return records[recno - (records[0]?.recno ?? recno)]?.operation;
  }

  /**
   * Does what waits, in whatever order its places allow. What got out of the way for nothing, because what
   * it waited for stays, is left where it was: all is done anew without it.
   */
  #doTasks(): void {
    for (let tasks = this.#tasks; ;) {
      const stranded = this.#tryTasks(tasks);
      if (stranded.size === 0) return;
      tasks = tasks.filter((task) => !stranded.has(task));
      this.#writer = new UndoWriter(this.#journal.state, this.#input.peer);
      this.#revivals = [];
      this.#merged.clear();
    }
  }

  /** @returns the tasks whose objects are out of the way still */
  #tryTasks(tasks: readonly Task[]): Set<Task> {
    let waiting: readonly Waiting[] = tasks.map((task) => ({ task, from: task.from }));
    for (;;) {
      const left = waiting.filter((one) => !this.#tryTask(one));
      if (left.length === 0) return new Set();
      const next =
        left.length < waiting.length ? left : (this.#merge(left) ?? this.#putAside(left));
      if (next === null) {
        for (const { task } of left) this.#giveUp(task);
        return new Set(left.filter(({ task, from }) => from !== task.from).map(({ task }) => task));
      }
      waiting = next;
    }
  }

  #tryTask({ task: { oid, to, made }, from }: Waiting): boolean {
    const { state } = this.#writer;
    if (to === null) {
      if (state.hasChildren(oid)) return false;
      this.#writer.remove(from!);
      return true;
    }
    const place = { parent: this.#present(to.parent), name: to.name };
    if (!isFree(state, place)) return false;
    if (made !== undefined) {
      this.#revive(oid);
      this.#writer.create(made, this.#present(oid), place);
      return true;
    }
    const object = state.object(this.#present(oid));
    if (object === undefined) return false;
    if (from === null) this.#writer.link(object.oid, place);
    else if (object.kind === "directory" && isWithin(state, place.parent, oid)) return false;
    else this.#writer.move(from, place);
    return true;
  }

  #revive(oid: Oid): void {
    if (this.#renewed.has(oid)) return;
    const { removedAt } = this.#journal.tombstone(oid)!;
    this.#revivals.push({ oid, removedAt: authoritativeRecno(removedAt) });
  }

  /** What an id stands for by now: what it merged into, or what returned in its stead. */
  #present(oid: Oid): Oid {
    return this.#merged.get(oid) ?? this.#renewed.get(oid) ?? resolveOid(oid, this.#writer.state);
  }

  /** A directory whose name another one has by now: what was in it returns into that one. */
  #merge(waiting: readonly Waiting[]): Waiting[] | null {
    const { state } = this.#writer;
    const leaving = new Set(
      waiting.filter(({ from }) => from !== null).map(({ task }) => task.oid),
    );
    const rest = waiting.filter(({ task: { oid, to, made } }) => {
      if (made?.kind !== "directory" || to === null) return true;
      const standing = state.entry(this.#present(to.parent), to.name);
      if (standing === undefined || leaving.has(standing.oid)) return true;
      if (state.object(standing.oid)?.kind !== "directory") return true;
      this.#merged.set(oid, standing.oid);
      return false;
    });
    return rest.length < waiting.length ? rest : null;
  }

  /**
   * Things wait for one another: one of those to be moved gets out of the way, beside its new place if that
   * directory is there already. Each does so once at most, so there is an end.
   */
  #putAside(waiting: readonly Waiting[]): Waiting[] | null {
    const { state } = this.#writer;
    for (const [index, { task, from }] of waiting.entries()) {
      const { oid, to } = task;
      if (from === null || to === null || from !== task.from) continue;
      const parent = this.#present(to.parent);
      const isThere = state.object(parent)?.kind === "directory" && !isWithin(state, parent, oid);
      const name = `.izo-undo-${oid.slice(0, 12)}-${index}` as Entry["name"];
      const aside = { parent: isThere ? parent : ROOT_OID, name };
      if (!isFree(state, aside)) continue;
      this.#writer.move(from, aside);
      return waiting.with(index, { task, from: state.entry(aside.parent, name)! });
    }
    return null;
  }

  #giveUp({ oid, to }: Task): void {
    const { state } = this.#writer;
    if (to === null) {
      const [child] = state.children(oid);
      this.#leave(oid, "not-empty", recnoOf(child));
      return;
    }
    const standing = state.entry(this.#present(to.parent), to.name);
    if (standing === undefined) this.#leave(oid, "parent-removed", null);
    else this.#leave(oid, "name-taken", recnoOf(standing));
  }

  /** Puts back what selected records changed in an object that was there before them and is there now. */
  #restoreAspects(oid: Oid, spells: readonly Spell<TreeObject>[]): void {
    const now = this.#journal.object(oid);
    const present = spells.filter(({ value }) => value !== undefined);
    if (now === undefined || this.#writer.state.object(oid) === undefined) return;
    if (walkBack(present, (object) => object?.oid, this.#isSelected).kind !== "untouched") return;
    const content = walkBack(present, contentKey, this.#isSelected);
    for (const aspect of this.#aspects(present, content.kind === "untouched")) {
      const walked = walkBack(present, aspect.keyOf, this.#isSelected);
      if (walked.kind === "kept") this.#leave(oid, aspect.reason, walked.by);
      if (walked.kind !== "undone" || walked.value === undefined) continue;
      const isPossible = aspect.keyOf !== contentKey || this.#isHere(walked.value);
      if (isPossible) aspect.restore(oid, walked.value);
      else this.#leave(oid, "content-gone", null);
    }
  }

  /** @param hasOwnTimes whether times count by themselves: else they belong to a content that was changed */
  *#aspects(present: readonly Spell<TreeObject>[], hasOwnTimes: boolean): Generator<Aspect> {
    const writer = this.#writer;
    yield {
      keyOf: contentKey,
      reason: "edited-since",
      restore: (oid, was) => writer.setContent(oid, was),
    };
    if (hasOwnTimes) {
      yield {
        keyOf: timesKey,
        reason: "edited-since",
        restore: (oid, was) => writer.setTimes(oid, was),
      };
    }
    yield {
      keyOf: attributesKey,
      reason: "attributes-changed",
      restore: (oid, was) => writer.setAttributes(oid, was),
    };
    for (const name of attributeNames(present)) {
      yield {
        keyOf: (object) => attributeKey(object, name),
        reason: "attributes-changed",
        restore: (oid, was) => writer.setExtendedAttribute(oid, name, was.xattrs.get(name)?.value),
      };
    }
  }

  #isHere({ sha256 }: TreeObject): boolean {
    return sha256 === null || sha256 === EMPTY_SHA256 || this.#input.hasContent(sha256);
  }

  #leave(oid: Oid, reason: LeftAloneReason, by: Recno | null): void {
    const path = lastPath(this.#journal.state, oid);
    this.#leftAlone.set(`${oid} ${reason}`, { path, oid, reason, by });
  }
}

function contentKey(object: TreeObject | undefined): unknown {
  return object?.contentVersion;
}

function timesKey(object: TreeObject | undefined): unknown {
  return object?.mtimeNs;
}

function attributesKey(object: TreeObject | undefined): unknown {
  return object?.attributesVersion;
}

/** An attribute's version, where it was given with a new content too: undefined where there is none. */
function attributeKey(object: TreeObject | undefined, name: string): unknown {
  return object?.xattrs.get(name)?.version;
}

function attributeNames(spells: readonly Spell<TreeObject>[]): Set<string> {
  return new Set(spells.flatMap(({ value }) => [...(value?.xattrs.keys() ?? [])]));
}

function recnoOf(entry: Entry | undefined): Recno | null {
  return typeof entry?.version === "number" ? entry.version : null;
}
