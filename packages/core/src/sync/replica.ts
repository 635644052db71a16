/**
 * A client's tree: authoritative state, plus own records not yet acknowledged (design C5).
 *
 * The authoritative state is an exact replay of the server's KML up to a position. The visible tree is
 * that state under an overlay of the pending records; what they touch stays as its author left it until
 * the server's log says what became of them. Rebase shows anew what has to be, and never changes a base.
 *
 * Pure: the caller makes things durable. It logs an own record before it hands it in, and it moves the
 * position in the same transaction as the replay. A crash loses nothing that is not read back from the
 * own log and the authoritative state.
 */

import type { Oid, Recno } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { ClientOperation, OriginId } from "../kml/operation.ts";
import { NO_CHECK, type KmlRecord, type ServerRecord } from "../kml/record.ts";
import { outcomeOfTrace, type Outcome } from "../reintegrate/outcome.ts";
import { resolveOid } from "../reintegrate/resolve.ts";
import { replay } from "../replay/replay.ts";
import type { MutableState, StateReader } from "../replay/state.ts";
import type { BaseChanges } from "./base-changes.ts";
import { Footprint, FootprintState, type ChangeSet, type ContentMove } from "./change-set.ts";
import { contentMoves } from "./content-moves.ts";
import type { PendingLog } from "./pending-log.ts";
import { type FrozenRecord, lastCovered } from "./pending-record.ts";
import { VisibleTree } from "./visible/visible-tree.ts";

const NO_CHANGES: ChangeSet = { names: [], objects: [], moves: [] };
const NO_OUTCOMES: ReadonlyMap<Recno, Outcome> = new Map();

/** What a pull did. */
export interface Pulled {
  readonly changes: ChangeSet;
  /**
   * The log has a record under this peer's id that was not made here: a cloned disk, or a restored
   * backup, uses the id too (design P2). The caller pulls on to the head, then takes a new id
   * (`renumberPending`); until then nothing may be pushed.
   */
  readonly isDiverged: boolean;
}

/** A record of this peer that the server is known to hold. */
export interface ReceivedMark {
  readonly recno: Recno;
  readonly check: string;
}

export class Replica {
  readonly #authoritative: MutableState;
  readonly #pending: PendingLog;
  readonly #tree: VisibleTree;
  /** Own records that were taken in last, and are not shown: whoever asks for the tree has them shown. */
  readonly #unshown: Recno[] = [];
  #recno: Recno;
  #acknowledged: ReceivedMark;
  #received: ReceivedMark;
  /** Names may show something that own records have hidden, which are not sent. */
  #isUncovering = false;

  /**
   * @param authoritative the replayed state, standing at `recno`
   * @param pending the own log, read back
   * @param acknowledged the last own record whose trace was replayed; recno 0 for none
   */
  constructor(
    authoritative: MutableState,
    recno: Recno,
    pending: PendingLog,
    acknowledged: ReceivedMark,
  ) {
    this.#authoritative = authoritative;
    this.#recno = recno;
    this.#pending = pending;
    this.#acknowledged = acknowledged;
    this.#received = acknowledged;
    this.#tree = new VisibleTree(authoritative, pending);
  }

  /** What programs see. Not to be kept while records are taken in. */
  get visible(): StateReader {
    return this.#visible.overlay;
  }

  /** The server's tree as of {@link recno}. */
  get authoritative(): StateReader {
    return this.#authoritative;
  }

  get recno(): Recno {
    return this.#recno;
  }

  /** The last own record whose trace was replayed; it is kept with the position. */
  get acknowledged(): ReceivedMark {
    return this.#acknowledged;
  }

  /** The last own record that the server is known to hold, also by its answer alone; a push states it (design P2). */
  get received(): ReceivedMark {
    return this.#received;
  }

  /** Frozen records that the server is not known to hold, in the order of their numbers. */
  get toSend(): readonly FrozenRecord[] {
    return this.#pending.frozen.filter(
      ({ submitted }) => submitted.origin.recno > this.#received.recno,
    );
  }

  /** The server answered that it holds this record. Its outcome is known when its trace is pulled. */
  noteReceived(mark: ReceivedMark): void {
    if (mark.recno > this.#received.recno) this.#received = mark;
  }

  /**
   * A new connection: the server may have been restored from a backup meanwhile and know nothing of what
   * it answered for. All whose trace was not pulled is sent again; what it holds it answers from there.
   */
  forgetReceived(): void {
    this.#received = this.#acknowledged;
  }

  /**
   * Takes in a record of the own log that was just made. Its effect shows to whoever asks for the tree from now on: to
   * show it is the larger part, and who made the record can be told before ({@link showOwn}).
   *
   * @returns what looks different by more than what the record itself did
   */
  addOwn(record: KmlRecord): ChangeSet {
    const { operation, recno } = record;
    if (operation.opcode === "CANCELLED" && operation.recno === this.#unshown.at(-1)) {
      // As a rule an operation fails before anybody looks: nothing has seen what it would have shown.
      this.#unshown.pop();
      this.#pending.add(record);
      return NO_CHANGES;
    }
    // What these say is about records that are shown.
    if (["SEALED", "CANCELLED", "SENT"].includes(operation.opcode)) this.showOwn();
    const named = "recno" in operation ? this.#pending.unsentRecord(operation.recno) : undefined;
    const hasCancelled = operation.opcode === "SENT" && operation.operation === null;
    const isHiding =
      hasCancelled &&
      operation.covers.some((covered) => this.#isHiding(covered) || this.#isLeft(covered));
    this.#pending.add(record);
    switch (operation.opcode) {
      case "SEALED":
        if (named === undefined || !this.#visible.seal(named, operation)) return NO_CHANGES;
        return this.#rebase();
      case "CANCELLED":
        this.#visible.drop(operation.recno);
        // The content of what was removed meanwhile shows nowhere: a large tree is removed file by file.
        if (named?.operation.opcode === "CLOSE" && !this.#isShown(named.operation.oid))
          return NO_CHANGES;
        return this.#rebase();
      case "SENT":
        this.#visible.freeze(operation.covers, recno);
        this.#isUncovering ||= isHiding;
        // Nothing looks different. Versions keep the number of the own record until the next rebase; the
        // pending log knows what they mean (`followSent`).
        return NO_CHANGES;
      default:
        this.#unshown.push(recno);
        return NO_CHANGES;
    }
  }

  /** Shows the effect of all own records that were taken in, as whoever asks for the tree would have it done. */
  showOwn(): void {
    while (this.#unshown.length > 0) this.#tree.add(this.#unshown.shift()!);
  }

  /**
   * Shows what others have made under the names of what was made and removed again here, and is not sent, and no
   * more what is left of that: to be called once when all is frozen that is sent next. Each such name may be about
   * all that waits.
   */
  showUncovered(): ChangeSet {
    return this.#isUncovering ? this.#rebase() : NO_CHANGES;
  }

  /** Takes back several own records at once, which the own log has as CANCELLED; says what shows again. */
  takeBack(cancelled: readonly KmlRecord[]): ChangeSet {
    this.showOwn();
    for (const record of cancelled) {
      this.#pending.add(record);
      if (record.operation.opcode === "CANCELLED") this.#visible.drop(record.operation.recno);
    }
    return this.#rebase();
  }

  /** Replays records of the server's log, forgets what they acknowledge, and rebases the visible tree. */
  pull(records: readonly ServerRecord[]): Pulled {
    const footprint = new Footprint(this.visible);
    const state = new FootprintState(
      this.#authoritative,
      footprint,
      (origin, check) => origin.peer === this.#pending.peer && !this.#isWaiting(origin, check),
    );
    const outcomes = new Map<Recno, Outcome>();
    let isDiverged = false;
    for (const record of records) {
      if (record.recno <= this.#recno) continue;
      this.#recno = replay(record, state, this.#recno);
      if (record.origin.peer !== this.#pending.peer || record.origin.check === NO_CHECK) continue;
      const acknowledged = this.#acknowledge(record);
      if (acknowledged === undefined) isDiverged = true;
      else outcomes.set(lastCovered(acknowledged), outcomeOfTrace(record)!);
    }
    return { changes: this.#rebase(state.changes, footprint, outcomes), isDiverged };
  }

  /**
   * Where local contents belong when another replica of the same own log takes over.
   *
   * @param outcomes of own records that no longer wait there, by their numbers in the own log
   */
  contentMovesTo(after: Replica, outcomes: ReadonlyMap<Recno, Outcome>): ContentMove[] {
    return contentMoves(this.#visible.contents, after.#visible.contents, after.visible, outcomes);
  }

  /** Objects that the pending records touch. */
  touchedObjects(): Iterable<Oid> {
    return this.#visible.overlay.touchedObjects();
  }

  /** Notes all that the pending records touch. */
  touch(footprint: Footprint): void {
    const { overlay } = this.#visible;
    for (const oid of overlay.touchedObjects()) footprint.touchObject(oid);
    for (const { parent, name } of overlay.touchedNames()) footprint.touchName(parent, name);
  }

  get #visible(): VisibleTree {
    this.showOwn();
    return this.#tree;
  }

  /** Forgets the waiting record of which this is the trace; undefined where no such record waits here. */
  #acknowledge({ origin }: ServerRecord): FrozenRecord | undefined {
    if (!this.#isWaiting(origin, origin.check)) return undefined;
    if (origin.recno > this.#acknowledged.recno) this.#acknowledged = origin;
    this.noteReceived(origin);
    this.#visible.drop(origin.recno);
    return this.#pending.acknowledge(origin.recno);
  }

  #isWaiting(origin: OriginId, check: string): boolean {
    return this.#pending.frozenRecord(origin.recno)?.submitted.origin.check === check;
  }

  /**
   * Shows what waits as it now has to be. More can look different than what a record names: what stands
   * in the way of another is shown beside it, under a name made of its time.
   */
  #rebase(
    changes: BaseChanges | null = null,
    footprint = new Footprint(this.visible),
    outcomes: ReadonlyMap<Recno, Outcome> = NO_OUTCOMES,
  ): ChangeSet {
    this.#isUncovering = false;
    const before = this.#visible.rebase(changes, footprint);
    const moves = contentMoves(before, this.#visible.contents, this.visible, outcomes);
    return footprint.compare(this.visible, moves);
  }

  /** Tells whether a name of an own record means something else in the authoritative state. */
  #isHiding(recno: Recno): boolean {
    const operation = this.#pending.unsentRecord(recno)?.operation;
    return namesIn(operation).some(({ parent, name }) => {
      const standing = this.#authoritative.entry(resolveOid(parent, this.visible), name);
      return standing !== undefined && standing.oid !== this.visible.entry(parent, name)?.oid;
    });
  }

  /** Tells whether the object of an own record that comes to nothing is shown all the same: what it was to be is nowhere. */
  #isLeft(recno: Recno): boolean {
    const operation = this.#pending.unsentRecord(recno)?.operation;
    return operation !== undefined && "oid" in operation && this.#isShown(operation.oid);
  }

  #isShown(oid: Oid): boolean {
    return this.visible.object(resolveOid(oid, this.visible)) !== undefined;
  }
}

function namesIn(operation: ClientOperation | undefined): { parent: Oid; name: Name }[] {
  if (operation?.opcode === "RENAME") {
    const { fromParent, fromName, toParent, toName } = operation;
    return [
      { parent: fromParent, name: fromName },
      { parent: toParent, name: toName },
    ];
  }
  return operation !== undefined && "parent" in operation ? [operation] : [];
}
