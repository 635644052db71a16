/**
 * A client's tree: authoritative state, plus own records not yet acknowledged (design C5).
 *
 * The authoritative state is an exact replay of the server's KML up to a position. The visible tree is
 * that state under an overlay of the pending records; what they touch stays as its author left it until
 * the server's log says what became of them. Rebase derives the overlay anew and never changes a base.
 *
 * Pure: the caller makes things durable. It logs an own record before it hands it in, and it moves the
 * position in the same transaction as the replay. A crash loses nothing that is not read back from the
 * own log and the authoritative state.
 */

import type { Oid, Recno } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { ClientOperation, OriginId, SealedOperation } from "../kml/operation.ts";
import { NO_CHECK, type KmlRecord, type ServerRecord } from "../kml/record.ts";
import { continuingOid, outcomeOfTrace, type Outcome } from "../reintegrate/outcome.ts";
import { resolveOid, resolveOperation } from "../reintegrate/resolve.ts";
import { OverlayState } from "../replay/overlay-state.ts";
import { applyOperation, replay } from "../replay/replay.ts";
import type { MutableState, StateReader } from "../replay/state.ts";
import type { TreeObject } from "../replay/tree-object.ts";
import { Footprint, FootprintState, type ChangeSet, type ContentMove } from "./change-set.ts";
import { contentMoves, ShownContents } from "./content-moves.ts";
import type { PendingLog } from "./pending-log.ts";
import type { FrozenRecord, PendingRecord } from "./pending-record.ts";
import { StrayWork } from "./stray-work.ts";

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
  #overlay: OverlayState;
  #contents = new ShownContents();
  #recno: Recno;
  #acknowledged: ReceivedMark;
  #received: ReceivedMark;

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
    this.#overlay = this.#deriveOverlay();
  }

  /** What programs see. */
  get visible(): StateReader {
    return this.#overlay;
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
   * Takes in a record of the own log that was just made, and shows its effect.
   *
   * @returns what looks different by more than what the record itself did
   */
  addOwn(record: KmlRecord): ChangeSet {
    const { operation, recno } = record;
    const named = "recno" in operation ? this.#pending.unsentRecord(operation.recno) : undefined;
    const hasCancelled = operation.opcode === "SENT" && operation.operation === null;
    const isHiding = hasCancelled && operation.covers.some((covered) => this.#isHiding(covered));
    this.#pending.add(record);
    switch (operation.opcode) {
      case "SEALED":
        return named === undefined ? NO_CHANGES : this.#showSealed(named, operation);
      case "CANCELLED":
        // The content of what was removed meanwhile shows nowhere: a large tree is removed file by file.
        if (named?.operation.opcode === "CLOSE" && !this.#isShown(named.operation.oid))
          return NO_CHANGES;
        return this.#deriveAnew(() => {});
      case "SENT":
        // What was made and removed again had taken its name from what others made under it.
        if (isHiding) return this.#deriveAnew(() => {});
        // Nothing looks different. Versions keep the number of the own record until the overlay is
        // derived anew; the pending log knows what they mean (`followSent`).
        return NO_CHANGES;
      default:
        this.#show(operation as ClientOperation, { peer: this.#pending.peer, recno }, recno);
        return NO_CHANGES;
    }
  }

  /** Takes back several own records at once, which the own log has as CANCELLED; says what shows again. */
  takeBack(cancelled: readonly KmlRecord[]): ChangeSet {
    return this.#deriveAnew(() => {
      for (const record of cancelled) this.#pending.add(record);
    });
  }

  /** Replays records of the server's log, forgets what they acknowledge, and derives the visible tree anew. */
  pull(records: readonly ServerRecord[]): Pulled {
    const footprint = new Footprint(this.#overlay);
    this.touch(footprint);
    const state = new FootprintState(
      this.#authoritative,
      footprint,
      (origin, check) => origin.peer === this.#pending.peer && !this.#isWaiting(origin, check),
    );
    const contents = this.#contents;
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
    const overlay = this.#deriveOverlay();
    this.touch(footprint);
    const moves = contentMoves(contents, this.#contents, overlay, outcomes);
    return { changes: footprint.compare(overlay, moves), isDiverged };
  }

  /**
   * Where local contents belong when another replica of the same own log takes over.
   *
   * @param outcomes of own records that no longer wait there, by their numbers in the own log
   */
  contentMovesTo(after: Replica, outcomes: ReadonlyMap<Recno, Outcome>): ContentMove[] {
    return contentMoves(this.#contents, after.#contents, after.visible, outcomes);
  }

  /** Objects that the pending records touch. */
  touchedObjects(): Iterable<Oid> {
    return this.#overlay.touchedObjects();
  }

  /** Notes all that the pending records touch. */
  touch(footprint: Footprint): void {
    for (const oid of this.#overlay.touchedObjects()) footprint.touchObject(oid);
    for (const { parent, name } of this.#overlay.touchedNames()) footprint.touchName(parent, name);
  }

  /** Forgets the waiting record of which this is the trace; undefined where no such record waits here. */
  #acknowledge({ origin }: ServerRecord): FrozenRecord | undefined {
    if (!this.#isWaiting(origin, origin.check)) return undefined;
    if (origin.recno > this.#acknowledged.recno) this.#acknowledged = origin;
    this.noteReceived(origin);
    return this.#pending.acknowledge(origin.recno);
  }

  #isWaiting(origin: OriginId, check: string): boolean {
    return this.#pending.frozenRecord(origin.recno)?.submitted.origin.check === check;
  }

  #deriveOverlay(): OverlayState {
    this.#overlay = new OverlayState(this.#authoritative);
    this.#contents = new ShownContents();
    const stray = new StrayWork();
    for (const frozen of this.#pending.frozen) {
      const { operation, origin } = frozen.submitted;
      this.#show(operation, origin, lastCovered(frozen), stray);
    }
    for (const { operation, recno } of this.#pending.unsent)
      this.#show(operation, { peer: this.#pending.peer, recno }, recno, stray);
    return this.#overlay;
  }

  /** Deriving the overlay for each of ten thousand sealed files would take their square in steps. */
  #showSealed({ recno }: PendingRecord, sealed: SealedOperation): ChangeSet {
    // An atomic save shows the content of the CLOSE under the object that was saved, and its own version.
    const oid = this.#contents.homeOf(recno);
    const object = oid === undefined ? undefined : this.#overlay.object(oid);
    // A later content hides it, or its object was removed.
    if (object === undefined) return NO_CHANGES;
    if (this.#showsContentOf(object, recno)) {
      const { sizeBytes, mtimeNs, sha256 } = sealed;
      this.#overlay.putObject({ ...object, sizeBytes, mtimeNs, sha256 });
      return NO_CHANGES;
    }
    // The content went on under another record in a way of its own.
    return this.#deriveAnew(() => {});
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

  /**
   * Derives the visible tree from other records than before. More can look different than what a record
   * names: what stands in the way of another is shown beside it, under a name made of its time.
   */
  #deriveAnew(change: () => void): ChangeSet {
    const footprint = new Footprint(this.#overlay);
    this.touch(footprint);
    change();
    const contents = this.#contents;
    const overlay = this.#deriveOverlay();
    this.touch(footprint);
    return footprint.compare(overlay, contentMoves(contents, this.#contents, overlay, NO_OUTCOMES));
  }

  /** Tells whether a name of an own record means something else in the authoritative state. */
  #isHiding(recno: Recno): boolean {
    const operation = this.#pending.unsentRecord(recno)?.operation;
    return namesIn(operation).some(({ parent, name }) => {
      const standing = this.#authoritative.entry(resolveOid(parent, this.#overlay), name);
      return standing !== undefined && standing.oid !== this.#overlay.entry(parent, name)?.oid;
    });
  }

  #isShown(oid: Oid): boolean {
    return this.#overlay.object(resolveOid(oid, this.#overlay)) !== undefined;
  }

  /**
   * @param recno the record's number in the own log, also when it is shown under another since it was sent
   * @param stray what the records before this one have written; a program sees all that is there now
   */
  #show(operation: ClientOperation, at: OriginId, recno: Recno, stray?: StrayWork): void {
    const resolution = resolveOperation(operation, this.#overlay);
    // A record whose base was refused will be refused with it: its author already lost that tree. A
    // content will not (K5).
    if (resolution.kind === "resolved") {
      const oid = continuingOid(resolution.operation);
      if (oid !== continuingOid(operation)) this.#overlay.putRedirect(at, oid);
      const shown = stray?.spare(resolution.operation) ?? resolution.operation;
      applyOperation(shown, { peer: at.peer, recno: at.recno }, at.peer, this.#overlay);
      stray?.note(shown, at, this.#overlay);
      this.#contents.note(shown, recno, this.#overlay);
    }
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

/** The own record whose content a frozen one carries: of several CLOSEs that became one, the last. */
export function lastCovered({ covers, submitted }: FrozenRecord): Recno {
  return covers.at(-1) ?? submitted.origin.recno;
}
