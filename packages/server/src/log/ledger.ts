/**
 * The log and its index, moved together: records are replayed into an open transaction of the index,
 * then appended and synced, then the transaction is committed (design S1). Only the queue calls it.
 *
 * A crash before the sync leaves neither; a crash after it leaves an index that lags, which
 * {@link Ledger.catchUp} brings up from the log. What others read is what is committed, so it is
 * durable. The worst that a failing disk does is to stop: a phantom at the end of the log, never a hole.
 */

import {
  IzoError,
  NO_CHECK,
  replay,
  type Actor,
  type KmlLog,
  type Oid,
  type PeerId,
  type Position,
  type Recno,
  type ReplicatedOperation,
  type ServerRecord,
  type TimeNs,
} from "@izo/core";
import type { SpaceReserve } from "@izo/sys";

import type { Connection } from "../db/connection.ts";
import { DiskNotes } from "../db/disk-notes.ts";
import { moveHead, readHead } from "../db/index-head.ts";
import { SqlState } from "../db/sql-state.ts";
import { StateCache } from "../db/state-cache.ts";
import { countEntries } from "../db/totals.ts";
import { isFullDisk } from "./is-full-disk.ts";

/** Records replayed into the index in one transaction while it catches up. */
const CATCH_UP_RECORDS = 5_000;

/** Who did it is not known of changes that programs in the exported directory made. */
const SERVER_ACTOR: Actor = { uid: 0, gid: 0, groups: [], command: "" };

/** What makes space, and what a removal that comes too late leaves. */
const FREEING: ReadonlySet<ReplicatedOperation["opcode"]> = new Set(["UNLINK", "RMDIR", "OUTCOME"]);

/** Room behind the log that only removals may use, as on a client. */
const REMOVAL_ROOM_BYTES = 128 * 1024;

/** The disk is full: what is not a removal waits until there is space. */
class ReserveSpentError extends IzoError {
  constructor() {
    super("ENOSPC", "Cannot log changes: the disk is full, and what is left is for removals");
  }
}

export interface LedgerParts {
  readonly log: KmlLog;
  /** To the index; nobody else writes through it. */
  readonly connection: Connection;
  readonly space: SpaceReserve;
  /** The server itself: author of what programs in the directory do. */
  readonly peer: PeerId;
  readonly nowNs: () => TimeNs;
}

export class Ledger {
  readonly state: SqlState;
  readonly notes: DiskNotes;
  readonly #cache = new StateCache();
  readonly #log: KmlLog;
  readonly #space: SpaceReserve;
  readonly #connection: Connection;
  readonly #peer: PeerId;
  readonly #nowNs: () => TimeNs;
  #head: Position;
  #timeNs: TimeNs;
  #pending: ServerRecord[] = [];
  #isBehind = true;
  #onCommitted: (records: readonly ServerRecord[]) => void = () => {};

  constructor({ log, connection, space, peer, nowNs }: LedgerParts) {
    this.state = new SqlState(connection, this.#cache);
    this.notes = new DiskNotes(connection);
    this.#log = log;
    this.#space = space;
    this.#connection = connection;
    this.#peer = peer;
    this.#nowNs = nowNs;
    const head = readHead(connection)!;
    this.#head = head.position;
    this.#timeNs = head.logTimeNs;
  }

  /** What is durable and committed. */
  get position(): Position {
    return this.#head;
  }

  /** The last record replayed, those of the open transaction included. */
  get recno(): Recno {
    return this.#pending.at(-1)?.recno ?? this.#head.recno;
  }

  /** The last record of the log, durable or not, and indexed or not. */
  get loggedRecno(): Recno {
    return this.#log.head.recno;
  }

  /** Log time of the last record replayed. */
  get timeNs(): TimeNs {
    return this.#pending.at(-1)?.logTimeNs ?? this.#timeNs;
  }

  /** Has somebody told of the records of each commit, once it is done. */
  observe(onCommitted: (records: readonly ServerRecord[]) => void): void {
    this.#onCommitted = onCommitted;
  }

  /** Names in the tree as it stands. */
  countEntries(): number {
    return countEntries(this.#connection);
  }

  /** Opens the transaction that {@link commit} or {@link rollback} ends. */
  begin(): void {
    if (this.#isBehind) this.#catchUpOnFullDisk();
    this.#connection.exec("BEGIN IMMEDIATE");
  }

  rollback(): void {
    this.#pending = [];
    this.#cache.clear();
    this.state.takeFileChange();
    if (this.#connection.inTransaction) this.#connection.exec("ROLLBACK");
  }

  /** Replays records that continue the log into the open transaction. */
  replay(records: readonly ServerRecord[]): void {
    for (const record of records) {
      replay(record, this.state, this.recno);
      this.#pending.push(record);
    }
  }

  /** Logs an operation of the server's own, and returns its recno. */
  author(operation: ReplicatedOperation): Recno {
    const recno = (this.recno + 1) as Recno;
    const nowNs = this.#nowNs();
    this.replay([
      {
        recno,
        authorTimeNs: nowNs,
        logTimeNs: nowNs > this.timeNs ? nowNs : this.timeNs,
        origin: { peer: this.#peer, recno, check: NO_CHECK },
        actor: SERVER_ACTOR,
        operation,
      },
    ]);
    return recno;
  }

  /**
   * Takes the space that the log needs for the records of the transaction, before anything is done that
   * they tell of: a full disk refuses them then, and tears nothing. Removals may use what is kept for
   * them; all else must leave it.
   *
   * @throws KmlAppendError, ReserveSpentError
   */
  reserve(): void {
    const isRemoval = this.#pending.every(({ operation }) => FREEING.has(operation.opcode));
    if (!isRemoval && !this.#space.take()) throw new ReserveSpentError();
    this.#log.reserveFor(this.#pending, isRemoval ? 0 : REMOVAL_ROOM_BYTES);
  }

  /**
   * Makes the records of the transaction durable, then visible. When the log refuses them the
   * transaction is rolled back and nothing has happened.
   *
   * @param onSynced called between the two
   */
  async commit(onSynced: () => void = () => {}): Promise<Position> {
    const records = this.#pending;
    if (records.length === 0) {
      this.#connection.exec("COMMIT");
      return this.#head;
    }
    let position: Position;
    try {
      position = this.#log.append(records).at(-1)!;
      await this.#log.sync();
    } catch (error) {
      this.rollback();
      this.#isBehind = true;
      throw error;
    }
    try {
      onSynced();
      const timeNs = this.timeNs;
      moveHead(this.#connection, this.state, position, timeNs);
      this.#connection.exec("COMMIT");
      this.#timeNs = timeNs;
    } catch (error) {
      // The log has them: they are replayed again, now or before the next transaction.
      this.rollback();
      this.#isBehind = true;
      if (!isFullDisk(error)) throw error;
      this.#space.release();
      this.catchUp();
      this.#onCommitted(records);
      return this.#head;
    }
    this.#space.take();
    this.#pending = [];
    this.#head = position;
    this.#onCommitted(records);
    return position;
  }

  /**
   * Logs records of which the effect is in the tree, and replays them, and whatever else the log holds and the index
   * does not: as the start does after a crash.
   */
  async recover(records: readonly ServerRecord[]): Promise<void> {
    this.#isBehind = true;
    const indexed = this.#head.recno;
    if (records.length > 0) this.#log.append(records);
    await this.#log.sync();
    this.#catchUpOnFullDisk();
    const recovered = [...this.#log.read(indexed, { upTo: this.#head.recno })];
    this.#onCommitted(recovered.map((scanned) => scanned.decode() as ServerRecord));
  }

  /** Replays what the log holds and the index does not; returns how many records that were. */
  catchUp(onProgress: (recno: Recno, head: Recno) => void = () => {}): number {
    const start = this.#head.recno;
    const end = this.#log.durable.recno;
    while (this.#head.recno < end) {
      this.#catchUpBatch(end);
      onProgress(this.#head.recno, end);
    }
    this.#isBehind = false;
    return this.#head.recno - start;
  }

  #catchUpOnFullDisk(): void {
    try {
      this.catchUp();
    } catch (error) {
      if (!isFullDisk(error)) throw error;
      this.#space.release();
      this.catchUp();
    }
  }

  #catchUpBatch(end: Recno): void {
    let recno = this.#head.recno;
    let timeNs = this.#timeNs;
    this.#connection.exec("BEGIN IMMEDIATE");
    try {
      const limits = { limitRecords: CATCH_UP_RECORDS, upTo: end };
      for (const scanned of this.#log.read(this.#head.recno, limits)) {
        const record = scanned.decode() as ServerRecord;
        recno = replay(record, this.state, recno);
        timeNs = record.logTimeNs;
        // Whether the disk already is as this record says is not known here: it is looked at again.
        for (const oid of oidsOf(record.operation)) this.notes.drop(oid);
      }
      const position = this.#log.positionAt(recno);
      moveHead(this.#connection, this.state, position, timeNs);
      this.#connection.exec("COMMIT");
      this.#head = position;
      this.#timeNs = timeNs;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }
}

function oidsOf(operation: ReplicatedOperation): readonly Oid[] {
  if (operation.opcode === "RENAME" && operation.victim !== null) {
    return [operation.oid, operation.victim.oid];
  }
  return "oid" in operation ? [operation.oid] : [];
}
