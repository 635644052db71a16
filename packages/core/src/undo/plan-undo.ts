/**
 * Undo, planned: which operations take back what some records of the log did, and leave what others did.
 *
 * Everything that a record can change is looked at by itself: a content, the attributes, each extended
 * attribute, each name, whether an object is there. What it is now by the doing of selected records
 * becomes what it was before them; where somebody else changed it since, it stays, and is listed. The
 * operations carry the bases of the tree that they were planned against, so the judge protects what
 * comes in between (design D3, §7). Nothing is rewritten: an undo is records like all others.
 */

import { EMPTY_SHA256, type Oid, type PeerId, type Recno, type Sha256 } from "../kml/identity.ts";
import type { ServerRecord } from "../kml/record.ts";
import type { MemoryState } from "../replay/memory-state.ts";
import { lastPath } from "../replay/path-of.ts";
import { replay } from "../replay/replay.ts";
import { authoritativeRecno, type Entry, type TreeObject } from "../replay/tree-object.ts";
import { Journal, type Spell } from "./journal.ts";
import {
  asItWas,
  attributeKey,
  attributeNames,
  attributesKey,
  contentKey,
  timesKey,
} from "./object-aspects.ts";
import type { LeftAlone, LeftAloneReason, UndoPlan } from "./undo-plan.ts";
import { UndoTasks } from "./undo-tasks.ts";
import { walkBack, type Walked } from "./walk-back.ts";
import { type NameChanges, wantedNames } from "./wanted-names.ts";

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
  readonly #leftAlone = new Map<string, LeftAlone>();
  readonly #tasks: UndoTasks;

  constructor(input: UndoInput) {
    this.#input = input;
    this.#journal = new Journal(input.before);
    for (const record of input.records) {
      replay(record, this.#journal, (record.recno - 1) as Recno);
    }
    this.#tasks = new UndoTasks({
      journal: this.#journal,
      peer: input.peer,
      leave: (oid, reason, by) => this.#leave(oid, reason, by),
    });
  }

  plan(): UndoPlan {
    this.#planPlaces();
    this.#tasks.run();
    for (const [oid, spells] of this.#journal.objects()) this.#restoreAspects(oid, spells);
    return {
      operations: this.#tasks.writer.operations,
      revivals: this.#tasks.revivals,
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
    const object = asItWas(spells, this.#isSelected);
    if (!this.#isHere(object)) return this.#leave(oid, "content-gone", null);
    const last = this.#journal.tombstone(oid);
    const [place, ...others] = toGet.length > 0 || last === undefined ? toGet : [last];
    if (place === undefined) {
      this.#leave(oid, "name-taken", keptBy);
      return;
    }
    if (last === undefined) this.#tasks.renew(oid, this.#input.newOid());
    this.#tasks.add({ oid, from: null, to: place, made: object });
    for (const other of others) this.#tasks.add({ oid, from: null, to: other });
  }

  /** Whatever selected records had changed in it went with it. */
  #leaveRemoved(oid: Oid, spells: readonly Spell<TreeObject>[]): void {
    const wasChanged = spells.some(({ by }) => by !== null && this.#isSelected(by));
    // One that ended by an atomic save lives on in what it was saved to.
    if (wasChanged && this.#journal.tombstone(oid) !== undefined) {
      this.#leave(oid, "removed-since", spells.at(-1)!.by);
    }
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
    for (const entry of toLose) this.#tasks.add({ oid, from: entry, to: null });
  }

  #rename(oid: Oid, { toLose, toGet, movedOnBy, keptBy }: NameChanges): void {
    if (movedOnBy !== null) this.#leave(oid, "moved-since", movedOnBy);
    const moves = Math.min(toLose.length, toGet.length);
    for (const [at, to] of toGet.entries()) {
      this.#tasks.add({ oid, from: toLose[at] ?? null, to });
    }
    const names = this.#journal.links(oid).length;
    for (const entry of toLose.slice(moves)) {
      const isFurther = names > toLose.length - moves;
      // Whose old name somebody else has by now stays where it was moved.
      const isOnlyMove = keptBy !== null && this.#wasMoved(oid, authoritativeRecno(entry.version));
      if (isFurther && !isOnlyMove) this.#tasks.add({ oid, from: entry, to: null });
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

  /** Puts back what selected records changed in an object that was there before them and is there now. */
  #restoreAspects(oid: Oid, spells: readonly Spell<TreeObject>[]): void {
    const now = this.#journal.object(oid);
    const present = spells.filter(({ value }) => value !== undefined);
    if (now === undefined || this.#tasks.writer.state.object(oid) === undefined) return;
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
    const writer = this.#tasks.writer;
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
