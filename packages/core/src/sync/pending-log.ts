/**
 * A client's own records that are not acknowledged yet: the meaning of its own KML (design §2, D3, C8).
 *
 * It is a pure fold over that log, so what a running client knows and what it knows after a crash are
 * the same thing. Records wait unsent and may be optimized; at their first send they are frozen, get
 * their origin recno, and stay as they are until the server's log shows their trace.
 */

import { IzoError } from "../errors.ts";
import type { PeerId, Recno } from "../kml/identity.ts";
import type { Base, ClientOperation, ReplicatedOperation } from "../kml/operation.ts";
import { computeOriginCheck } from "../kml/origin-check.ts";
import type { KmlRecord } from "../kml/record.ts";
import { basesOf, HeldRecords, withBases } from "../optimize/dependencies.ts";
import { optimize, type Optimized } from "../optimize/optimize.ts";
import { OwnBases } from "./own-bases.ts";
import type { FrozenRecord, PendingRecord } from "./pending-record.ts";

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

export class PendingLog {
  readonly peer: PeerId;
  readonly #unsent = new Map<Recno, PendingRecord>();
  readonly #frozen = new Map<Recno, FrozenRecord>();
  readonly #bases: OwnBases;

  constructor(peer: PeerId) {
    this.peer = peer;
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

  get size(): number {
    return this.#unsent.size + this.#frozen.size;
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
        return;
      }
      case "CANCELLED":
        this.#drop(operation.recno, this.#unsent.get(operation.recno)?.operation);
        this.#unsent.delete(operation.recno);
        return;
      case "SENT":
        this.#freeze(recno, operation.covers, operation.operation, record);
        return;
      case "OUTCOME":
      case "ALIAS":
      case "TRUNCATED":
        throw new OwnLogError(recno, operation.opcode);
      default: {
        const { authorTimeNs, actor } = record;
        this.#unsent.set(recno, { recno, authorTimeNs, actor, operation });
      }
    }
  }

  /**
   * What can be sent now, optimized: all unsent records but those that wait for their content to be
   * sealed and those that depend on such (design P3: one waiting record holds nothing else).
   */
  sendable(): Optimized[] {
    const held = new HeldRecords();
    const ready: PendingRecord[] = [];
    const waiting: PendingRecord[] = [];
    for (const record of this.unsent) {
      const { operation, recno } = record;
      const isOpen = operation.opcode === "CLOSE" && operation.sha256 === null;
      if (isOpen || held.holds(operation)) {
        held.hold(operation, [recno]);
        waiting.push(record);
      } else ready.push(record);
    }
    return optimize(ready, waiting);
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
      const covered = this.#unsent.get(recno)?.operation;
      this.#unsent.delete(recno);
      if (operation === null && covered?.opcode === "CLOSE") this.#drop(recno, covered);
      else this.#bases.noteSent(recno, originRecno);
    }
    if (operation === null) return;
    const { authorTimeNs, actor } = record;
    const origin = { peer: this.peer, recno: originRecno };
    // What it builds on may have been sent just before it, in the same batch.
    const sent = { authorTimeNs, actor, operation: this.#followSent(operation as ClientOperation) };
    const check = computeOriginCheck({ origin, ...sent });
    this.#frozen.set(originRecno, { covers, submitted: { origin: { ...origin, check }, ...sent } });
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
