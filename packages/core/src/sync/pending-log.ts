/**
 * A client's own records that are not acknowledged yet: the meaning of its own KML (design §2, D3, C8).
 *
 * It is a pure fold over that log, so what a running client knows and what it knows after a crash are
 * the same thing. Records wait unsent and may be optimized; at their first send they are frozen, get
 * their origin recno, and stay as they are until the server's log shows their trace.
 */

import { IzoError } from "../errors.ts";
import { allAtOnce, type InPieces } from "../in-pieces.ts";
import { NO_RECNO, type PeerId, type Recno } from "../kml/identity.ts";
import type { Base, ClientOperation, ReplicatedOperation } from "../kml/operation.ts";
import { computeOriginCheck } from "../kml/origin-check.ts";
import type { KmlRecord } from "../kml/record.ts";
import { type HashFunction, portableHash } from "../kml/running-hash.ts";
import { basesOf, withBases } from "../optimize/dependencies.ts";
import type { Optimized } from "../optimize/optimize.ts";
import { isRemoval } from "./mass-removal.ts";
import { OwnBases } from "./own-bases.ts";
import type { FrozenRecord, PendingRecord } from "./pending-record.ts";
import { Sendable } from "./sendable.ts";

/** A record that cannot stand in a client's own log. */
export class OwnLogError extends IzoError {
  constructor(recno: Recno, opcode: string) {
    super(
      "own-log-invalid",
      `Cannot read the client's own log: record ${recno} is ${opcode}, which only a server logs`,
      { recno, opcode },
    );
  }
}

/** What is known beforehand of an own log that is read back. */
export interface PendingLogFacts {
  /**
   * All that was sent up to this number is acknowledged: numbers only grow, and the server takes what it is sent in
   * their order. Nothing more is made of those, which may be hundreds of thousands behind one that waits.
   */
  readonly acknowledgedUpTo?: Recno;
  readonly hash?: HashFunction;
}

export class PendingLog {
  readonly peer: PeerId;
  readonly #unsent = new Map<Recno, PendingRecord>();
  readonly #frozen = new Map<Recno, FrozenRecord>();
  readonly #bases: OwnBases;
  /** As of the last look, and of one that is going on. */
  #sendable: Sendable | null = null;
  #looking: Sendable | null = null;
  #looks = 0;
  #removals = 0;

  readonly #acknowledgedUpTo: Recno;
  readonly #hash: HashFunction;

  /** @param facts by default nothing is acknowledged */
  constructor(
    peer: PeerId,
    { acknowledgedUpTo = NO_RECNO, hash = portableHash }: PendingLogFacts = {},
  ) {
    this.peer = peer;
    this.#acknowledgedUpTo = acknowledgedUpTo;
    this.#hash = hash;
    this.#bases = new OwnBases(peer);
  }

  /** Records not yet sent, in the order of their making; made anew at each call. */
  get unsent(): readonly PendingRecord[] {
    return Array.from(this.#unsent.values(), (record) => this.#followed(record));
  }

  /** Records sent and not yet acknowledged, in the order of sending. */
  get frozen(): readonly FrozenRecord[] {
    return [...this.#frozen.values()];
  }

  /** The first of those that were sent. */
  get firstFrozen(): FrozenRecord["submitted"] | undefined {
    for (const { submitted } of this.#frozen.values()) return submitted;
    return undefined;
  }

  /** The record that has its turn first. */
  get first(): Pick<PendingRecord, "operation" | "authorTimeNs"> | undefined {
    const [unsent] = this.#unsent.values();
    return this.firstFrozen ?? unsent;
  }

  get size(): number {
    return this.#unsent.size + this.#frozen.size;
  }

  /** How many of the unsent ones take a name away. */
  get removals(): number {
    return this.#removals;
  }

  /** How often all that waits was looked at; {@link ready} is of the last time. */
  get looks(): number {
    return this.#looks;
  }

  /** The unsent record with this number in the own log, as it was made. */
  unsentRecord(recno: Recno): PendingRecord | undefined {
    return this.#unsent.get(recno);
  }

  /** The first own record that is not acknowledged, or undefined where none waits. */
  get oldestRecno(): Recno | undefined {
    const [first] = this.#unsent.keys();
    let oldest = first;
    for (const { covers } of this.#frozen.values()) {
      for (const recno of covers) if (oldest === undefined || recno < oldest) oldest = recno;
    }
    return oldest;
  }

  /** {@link unsentRecord} as it would be sent now. */
  unsentFollowed(recno: Recno): PendingRecord | undefined {
    const record = this.#unsent.get(recno);
    return record && this.#followed(record);
  }

  /** Takes in the next record of the own log, when it is made and again when the log is read back. */
  add(record: KmlRecord): void {
    const { operation, recno } = record;
    switch (operation.opcode) {
      case "SEALED": {
        const pending = this.#unsent.get(operation.recno);
        if (pending?.operation.opcode !== "CLOSE") return;
        const { sizeBytes, mtimeNs, sha256 } = operation;
        this.#unsent.set(operation.recno, {
          ...pending,
          operation: { ...pending.operation, sizeBytes, mtimeNs, sha256 },
        });
        this.#tell((sendable) => sendable.noteSealed());
        return;
      }
      case "CANCELLED": {
        const pending = this.#unsent.get(operation.recno);
        this.#drop(operation.recno, pending?.operation);
        if (pending === undefined) return;
        this.#takeOut(pending);
        this.#tell((sendable) => sendable.noteCancelled(pending));
        return;
      }
      case "SENT":
        this.#freeze(recno, operation.covers, operation.operation, record);
        return;
      case "OUTCOME":
      case "ALIAS":
      case "TRUNCATED":
        throw new OwnLogError(recno, operation.opcode);
      default: {
        const { authorTimeNs, actor } = record;
        const pending = { recno, authorTimeNs, actor, operation };
        this.#unsent.set(recno, pending);
        if (isRemoval(operation)) this.#removals += 1;
        this.#tell((sendable) => sendable.noteAdded(this.#followed(pending)));
      }
    }
  }

  /**
   * What can be sent now, optimized: all unsent records but those that wait for their content to be
   * sealed and those that depend on such (design P3: one waiting record holds nothing else).
   */
  sendable(): readonly Optimized[] {
    if (this.#sendable === null || this.#sendable.isBehind) allAtOnce(this.#lookAnew());
    return [...this.ready()];
  }

  /** Looks at all that waits, with pauses, where the last look will not do any more for {@link ready}. */
  *look(): InPieces<void> {
    if (this.#sendable === null || this.#sendable.isDue) yield* this.#lookAnew();
  }

  /** Tells whether what {@link ready} gives may be sent. */
  get isLookRight(): boolean {
    return this.#sendable !== null && !this.#sendable.isWrong;
  }

  /** {@link sendable} as of the last look, without what was sent since. */
  *ready(): Generator<Optimized, void> {
    if (this.#sendable === null) return;
    for (const each of this.#sendable.rest((recno) => this.#unsent.has(recno))) {
      const record = each.record && this.#followed(each.record);
      yield record === each.record ? each : { ...each, record };
    }
  }

  /** Forgets a record whose trace is in the server's log. Returns it, or undefined where it was not waiting. */
  acknowledge(originRecno: Recno): FrozenRecord | undefined {
    const frozen = this.#frozen.get(originRecno);
    this.#frozen.delete(originRecno);
    return frozen;
  }

  /** The frozen record with this origin recno, while its outcome is not known. */
  frozenRecord(originRecno: Recno): FrozenRecord | undefined {
    return this.#frozen.get(originRecno);
  }

  /**
   * Tells whether the own log has to keep what is before a record, although none of it waits: an unsent record was
   * written down as building on a CLOSE there that was dropped since, and only that CLOSE says what is below it.
   */
  needsBefore(recno: Recno): boolean {
    for (const { operation } of this.#unsent.values()) {
      for (const base of basesOf(operation)) {
        if (typeof base === "number" || base.peer !== this.peer) continue;
        if (base.recno < recno && this.#bases.isDropped(base.recno)) return true;
      }
    }
    return false;
  }

  #freeze(
    originRecno: Recno,
    covers: readonly Recno[],
    operation: ReplicatedOperation | null,
    record: KmlRecord,
  ): void {
    for (const recno of covers) {
      const covered = this.#unsent.get(recno);
      if (covered !== undefined) this.#takeOut(covered);
      if (operation === null && covered?.operation.opcode === "CLOSE")
        this.#drop(recno, covered.operation);
      else this.#bases.noteSent(recno, originRecno);
    }
    this.#tell((sendable) => sendable.noteSent(covers.length));
    if (operation === null || originRecno <= this.#acknowledgedUpTo) return;
    const { authorTimeNs, actor } = record;
    const origin = { peer: this.peer, recno: originRecno };
    // What it builds on may have been sent just before it, in the same batch.
    const sent = { authorTimeNs, actor, operation: this.#followSent(operation as ClientOperation) };
    const check = computeOriginCheck({ origin, ...sent }, this.#hash);
    this.#frozen.set(originRecno, { covers, submitted: { origin: { ...origin, check }, ...sent } });
  }

  *#lookAnew(): InPieces<void> {
    const sendable = new Sendable([...this.#unsent.values()]);
    this.#looking = sendable;
    this.#looks += 1;
    try {
      yield* sendable.look((record) => this.#followed(record));
      this.#sendable = sendable;
    } finally {
      if (this.#looking === sendable) this.#looking = null;
    }
  }

  /** Something has happened to the unsent records: a look at them has to know. */
  #tell(what: (sendable: Sendable) => void): void {
    if (this.#sendable !== null) what(this.#sendable);
    if (this.#looking !== null) what(this.#looking);
  }

  #takeOut({ recno, operation }: PendingRecord): void {
    this.#unsent.delete(recno);
    if (isRemoval(operation)) this.#removals -= 1;
  }

  /** No server will ever know this number: a base that named it would never hold. */
  #drop(recno: Recno, operation: ClientOperation | undefined): void {
    if (operation?.opcode === "CLOSE") this.#bases.noteDropped(recno, operation.contentBase);
  }

  #followed(record: PendingRecord): PendingRecord {
    const { operation } = record;
    // As a rule nothing was sent on which it builds, and all that waits is asked for at each push.
    if (basesOf(operation).every((base) => this.followSent(base) === base)) return record;
    return { ...record, operation: this.#followSent(operation) };
  }

  /** Bases on own records are named by the number under which the server knows them. */
  #followSent(operation: ClientOperation): ClientOperation {
    return withBases(operation, (base) => this.followSent(base));
  }

  /** A base as the server will know it, where it is an own record that was sent meanwhile. */
  followSent(base: Base): Base {
    return this.#bases.follow(base);
  }
}
