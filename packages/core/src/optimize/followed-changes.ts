import type { Oid, Recno } from "../kml/identity.ts";
import type { Base, ClientOperation, CloseOperation, SetattrOperation } from "../kml/operation.ts";
import type { PendingRecord } from "../sync/pending-record.ts";
import { basesOf } from "./dependencies.ts";

/** What the next one of the same object may make superfluous. */
export type Followable = CloseOperation | SetattrOperation;

/**
 * The CLOSEs and SETATTRs in a run of records that the next one of the same object makes superfluous, where
 * nothing else was done to the object in between. One is needed where anything else builds on it: that would
 * build on the next one instead, and two edits of one content would follow each other.
 */
export class FollowedChanges {
  readonly #followed = new Map<Recno, Recno>();
  readonly #lastChange = new Map<Oid, PendingRecord>();
  /** The object of each of them: ten thousand wait while an archive is unpacked. */
  readonly #objects = new Map<Recno, Oid>();

  /** Takes in the next record. */
  note(record: PendingRecord): void {
    const { operation, recno } = record;
    if (isFollowable(operation)) {
      const previous = this.#lastChange.get(operation.oid);
      if (previous !== undefined && follows(operation, previous))
        this.#followed.set(previous.recno, recno);
      this.#end(operation.oid);
      // What else it builds on is a content on which more than the next content builds.
      if (operation.opcode === "SETATTR") this.#endBases(operation);
      this.#lastChange.set(operation.oid, record);
      this.#objects.set(recno, operation.oid);
      return;
    }
    // What else is done to an object stays behind the content that was there: where somebody has removed
    // the object meanwhile, that content brings it back, and a LINK before it would come to nothing.
    if ("oid" in operation) this.#end(operation.oid);
    if (operation.opcode === "RENAME") this.#end(operation.victim?.oid);
    this.#endBases(operation);
  }

  /** A record builds on what it says; to be called for all of them, when all were taken in, and for those not sent yet. */
  noteBases({ operation, recno }: PendingRecord): void {
    for (const base of basesOf(operation)) {
      if (typeof base !== "number" && this.#followed.get(base.recno) !== recno)
        this.#followed.delete(base.recno);
    }
  }

  /** The one that makes this one superfluous. */
  followerOf(recno: Recno): Recno | undefined {
    return this.#followed.get(recno);
  }

  #endBases(operation: ClientOperation): void {
    for (const base of basesOf(operation))
      if (typeof base !== "number") this.#end(this.#objects.get(base.recno));
  }

  #end(oid: Oid | undefined): void {
    const change = oid === undefined ? undefined : this.#lastChange.get(oid);
    if (change === undefined) return;
    this.#lastChange.delete(oid!);
    this.#objects.delete(change.recno);
  }
}

/** Tells whether it is of those that the next one may make superfluous. */
export function isFollowable(operation: ClientOperation): operation is Followable {
  return operation.opcode === "CLOSE" || operation.opcode === "SETATTR";
}

/** The last of several, as if it had been made on what the first was made on. */
export function onBaseOf(last: Followable, first: Followable): Followable {
  if (last.opcode === "CLOSE")
    return first.opcode === "CLOSE" ? { ...last, contentBase: first.contentBase } : last;
  const base = first.opcode === "SETATTR" ? first.attributes?.base : undefined;
  if (base === undefined || last.attributes === null) return last;
  return { ...last, attributes: { ...last.attributes, base } };
}

/** Tells whether a change leaves nothing of the one before it, and was made on it. */
function follows(operation: Followable, { recno, operation: previous }: PendingRecord): boolean {
  const isOn = (base: Base): boolean => typeof base !== "number" && base.recno === recno;
  if (operation.opcode === "CLOSE")
    return previous.opcode === "CLOSE" && isOn(operation.contentBase);
  if (previous.opcode !== "SETATTR") return false;
  const { attributes, times } = operation;
  // Mode and owner are judged apart from times: what the one before it says of either is said here, too.
  if ((attributes === null) !== (previous.attributes === null)) return false;
  if ((times === null) !== (previous.times === null)) return false;
  const hasAttributes = attributes === null || isOn(attributes.base);
  return (
    hasAttributes && (times === null || isSameBase(times.contentBase, previous.times!.contentBase))
  );
}

function isSameBase(a: Base, b: Base): boolean {
  if (typeof a === "number" || typeof b === "number") return a === b;
  return a.peer === b.peer && a.recno === b.recno;
}
