/**
 * The server's log, index and exported tree, moved together in the order of design S1: intents, tree, log,
 * index. The log is a real `KmlLog` on the machine's disk. Index and tree are databases of the simulation;
 * that of the tree stands for a file system that keeps the order of its changes, and its facts for the
 * look at inodes by which the real server tells what was done.
 */

import type { PeerId, Recno, TimeNs } from "../../kml/identity.ts";
import type { KmlLog } from "../../kml/kml-log.ts";
import { RecnoNotInLogError } from "../../kml/kml-reader.ts";
import { openKmlLog } from "../../kml/open-kml-log.ts";
import type { ReplicatedOperation } from "../../kml/operation.ts";
import type { Position } from "../../kml/position.ts";
import { NO_CHECK, type Actor, type ServerRecord } from "../../kml/record.ts";
import { startPosition } from "../../kml/running-hash.ts";
import { applyOperation, replay } from "../../replay/replay.ts";
import type { StateReader } from "../../replay/state.ts";
import { FILESET, SEGMENT_BYTES } from "./fileset.ts";
import { IntentsFile } from "./intents-file.ts";
import { Machine } from "./machine.ts";
import type { Mutation } from "./mutation.ts";
import { quickHash } from "./quick-hash.ts";
import type { Random } from "./random.ts";
import type { Change } from "./recording-state.ts";
import { SimulatedDatabase } from "./simulated-database.ts";

interface IndexFacts {
  readonly position: Position;
  readonly logTimeNs: TimeNs;
}

interface TreeFacts {
  /** The last record that was done to the tree. */
  readonly recno: Recno;
}

export const SERVER = "5e".repeat(16) as PeerId;

const ACTOR: Actor = { uid: 0, gid: 0, groups: [], command: "" };
const INDEX_START: IndexFacts = { position: startPosition(FILESET, quickHash), logTimeNs: 0n };

/** How a position lies to a log. */
export type Relation = "shared" | "log-diverged" | "log-truncated";

export class SimulatedLedger {
  readonly machine = new Machine("the server");
  readonly #mutation: Mutation | null;
  readonly #index = new SimulatedDatabase<IndexFacts>(this.machine, INDEX_START);
  readonly #tree = new SimulatedDatabase<TreeFacts>(this.machine, { recno: 0 as Recno });
  /** Every record that was appended, by its number: a cut log cannot say any more what it was. */
  readonly #history: ServerRecord[] = [];
  readonly #positions = new Map<Recno, Position>();
  #log: KmlLog | null = null;
  /** Replayed into the index and not committed yet. */
  #pending: ServerRecord[] = [];

  constructor(mutation: Mutation | null) {
    this.#mutation = mutation;
  }

  /** The index, as committed when nothing is being applied. */
  get state(): StateReader {
    return this.#index.tree;
  }

  /** The exported directory, as programs on the server see it. */
  get exported(): StateReader {
    return this.#tree.tree;
  }

  get position(): Position {
    return this.#index.facts.position;
  }

  /** The last record replayed, those being applied included. */
  get recno(): Recno {
    return this.#pending.at(-1)?.recno ?? this.position.recno;
  }

  get timeNs(): TimeNs {
    return this.#pending.at(-1)?.logTimeNs ?? this.#index.facts.logTimeNs;
  }

  /** All records up to the head, also those that were cut off. */
  get history(): readonly ServerRecord[] {
    return this.#history.slice(0, this.position.recno);
  }

  received(peer: PeerId): Recno {
    return this.#index.received(peer);
  }

  /** All changes that made the index, for a snapshot. */
  changes(): Change[] {
    return this.#index.changes();
  }

  /** Starts the machine: the log, then what a stop cut off, then the index (design §4). */
  async start(random: Random): Promise<void> {
    this.#log = null;
    this.#positions.clear();
    const kind = this.machine.restart(random);
    this.#index.recover(kind, random);
    this.#tree.recover(kind, random);
    this.#pending = [];
    const { disk } = this.machine;
    const common = { disk, dir: "kml", fileset: FILESET, peer: SERVER, hash: quickHash };
    const log = await openKmlLog({ ...common, segmentBytes: SEGMENT_BYTES });
    if (this.#history.length > log.head.recno) this.#history.length = log.head.recno;
    // What was written as a whole before its write failed.
    for (const scanned of log.read(this.#history.length as Recno))
      this.#history.push(scanned.decode() as ServerRecord);
    await this.#recoverIntents(log);
    this.#catchUp(log);
    this.#log = log;
  }

  /** Fills an empty log, as from a backup. */
  async fill(records: readonly ServerRecord[], random: Random): Promise<void> {
    await this.start(random);
    const log = this.#running();
    log.append(records);
    await log.sync();
    this.#history.push(...records);
    for (const record of records) this.#doToTree(record);
    this.#tree.checkpoint();
    this.#catchUp(log);
  }

  /** Records behind a position, none beyond the committed head. */
  read(after: Position, limitRecords: number): { records: ServerRecord[]; last: Position } {
    const log = this.#running();
    const upTo = this.position.recno;
    const records = [...log.read(after.recno, { limitRecords, upTo })].map(
      (scanned) => scanned.decode() as ServerRecord,
    );
    const last = records.at(-1);
    return { records, last: last === undefined ? after : this.#positionAt(last.recno) };
  }

  relate(position: Position): Relation {
    if (position.recno > this.position.recno) return "log-diverged";
    try {
      return this.#positionAt(position.recno).hash === position.hash ? "shared" : "log-diverged";
    } catch (error) {
      if (error instanceof RecnoNotInLogError) return "log-truncated";
      throw error;
    }
  }

  /** Replays records that continue the log into what {@link commit} commits. */
  replay(record: ServerRecord): void {
    replay(record, this.#index.changing, this.recno);
    this.#pending.push(record);
  }

  /** Logs a change of the server's own. */
  async author(operation: ReplicatedOperation, nowNs: TimeNs): Promise<void> {
    const recno = (this.recno + 1) as Recno;
    this.replay({
      recno,
      authorTimeNs: nowNs,
      logTimeNs: nowNs > this.timeNs ? nowNs : this.timeNs,
      origin: { peer: SERVER, recno, check: NO_CHECK },
      actor: ACTOR,
      operation,
    });
    await this.commit();
  }

  /** Makes what was replayed true, in the order of design S1; afterwards it may be acknowledged. */
  async commit(): Promise<void> {
    const records = this.#pending;
    if (records.length === 0) return;
    const log = this.#running();
    const intents = new IntentsFile(this.machine.disk);
    await intents.write(records, this.#mutation !== "tree changed before the intents are durable");
    for (const record of records) this.#doToTree(record);
    this.#tree.checkpoint();
    const position = log.append(records).at(-1)!;
    this.#history.push(...records);
    if (this.#mutation === "index committed before the log is synced") {
      this.#commitIndex(position);
      this.#index.checkpoint();
      intents.clear();
      await log.sync();
      return;
    }
    if (this.#mutation !== "acknowledged before the log is synced") await log.sync();
    this.#commitIndex(position);
    intents.clear();
  }

  /** Drops segments before a record, which the log says before it does it. */
  async truncate(oldest: Recno): Promise<void> {
    this.#index.checkpoint();
    await this.#running().dropSegmentsBefore(oldest);
  }

  /** Where segments begin that could be the oldest after a truncation. */
  segmentStarts(): Recno[] {
    return this.#running()
      .segments()
      .map(({ first }) => first);
  }

  /** SQLite writes its log back into the database. */
  checkpoint(): void {
    this.#index.checkpoint();
  }

  #running(): KmlLog {
    if (this.#log === null) throw new Error("Cannot use the server: it is down");
    this.machine.reach();
    return this.#log;
  }

  /** Asked for at every poll: what was found once since the log was opened is kept. */
  #positionAt(recno: Recno): Position {
    const log = this.#running();
    const known = this.#positions.get(recno);
    if (known !== undefined && recno >= log.oldest) return known;
    const position = log.positionAt(recno);
    this.#positions.set(recno, position);
    return position;
  }

  #commitIndex(position: Position): void {
    const logTimeNs = this.timeNs;
    if (this.#mutation === "last_rcvd outside the transaction of the index") {
      const outcomes = this.#index.takeOutcomes();
      this.#index.commit({ position, logTimeNs });
      this.#index.add(outcomes);
    }
    this.#index.commit({ position, logTimeNs });
    this.#pending = [];
  }

  #doToTree({ operation, recno, origin }: ServerRecord): void {
    applyOperation(operation, recno, origin.peer, this.#tree.changing);
    this.#tree.commit({ recno });
  }

  /** What was done to the tree is logged; the rest never happened, and its author sends it again. */
  async #recoverIntents(log: KmlLog): Promise<void> {
    const intents = new IntentsFile(this.machine.disk);
    const done = intents
      .read()
      .filter(({ recno }) => recno <= this.#tree.facts.recno && recno > log.head.recno);
    if (done.length > 0) {
      // A process that was killed had not synced the tree; what is logged must be in it.
      this.#tree.checkpoint();
      log.append(done);
      await log.sync();
      this.#history.push(...done);
    }
    intents.clear();
  }

  #catchUp(log: KmlLog): void {
    const { position } = this.#index.facts;
    if (position.recno >= log.head.recno) return;
    for (const scanned of log.read(position.recno)) this.replay(scanned.decode() as ServerRecord);
    this.#commitIndex(log.head);
  }
}
