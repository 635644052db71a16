/**
 * The client's durable state: own log, authoritative tree, and the visible tree that both give.
 *
 * The file system records through it, InterSync pulls and pushes through it, and both read `visible`.
 * All methods that change anything are synchronous, or change it in one synchronous piece: nobody sees
 * the tree of one position with the records of another.
 *
 * What a crash can lose: records of the last two seconds in a power cut, from the end and unless
 * `syncLog` was awaited; nothing in a `kill -9`. The index may go back to an earlier position, whole,
 * but not behind the last sync of the log, and pulls the same records again. Records leave the own log
 * only after the position that acknowledges them is durable.
 */

import { randomUUID } from "node:crypto";
import { join } from "node:path";

import {
  changesBetween,
  forgottenObjects,
  lastCovered,
  loadPending,
  objectPath,
  renumberPending,
  predictPush,
  Replica,
  ROOT_OID,
  salvage,
  standingConflict,
  startPosition,
  withBases,
  withoutHeld,
  type Actor,
  type ChangeSet,
  type ClientOperation,
  type Differing,
  type Disk,
  type FilesetId,
  type HashFunction,
  type KmlRecord,
  type Optimized,
  type Oid,
  type OutcomeReason,
  type PeerId,
  type PendingLog,
  type PendingRecord,
  type PolicyOf,
  type Position,
  type Prediction,
  type Pulled,
  type ReceivedMark,
  type Recno,
  type ReplicatedOperation,
  type SealedOperation,
  type ServerRecord,
  type Sha256,
  type SnapshotStart,
  type StandingConflict,
  type StateReader,
  type TimeNs,
  type TreeObject,
} from "@izo/core";

import { describeDamage } from "../db/index-damage.ts";
import { openIndex, type ClientIndex } from "../db/open-index.ts";
import { SnapshotDatabase } from "../db/snapshot-database.ts";
import { SqlState } from "../db/sql-state.ts";
import { NOTHING_ACKNOWLEDGED, StandingTable } from "../db/standing.ts";
import { INTERSYNC, OwnLog } from "../log/own-log.ts";

export interface LocalReplicaOptions {
  readonly cacheDir: string;
  readonly disk: Disk;
  readonly fileset: FilesetId;
  readonly nowNs: () => TimeNs;
  readonly hash: HashFunction;
  /** See `OwnLogOptions`. */
  readonly onSyncFailed: (error: unknown) => void;
}

/** What the own log has taken in: a record of a change, or the content of an open CLOSE. */
export type OwnChange =
  | { readonly kind: "recorded"; readonly opcode: ClientOperation["opcode"] }
  | { readonly kind: "sealed"; readonly sha256: Sha256 };

/** An own change that did not take effect: somebody else's came first. */
export interface Refusal {
  /** Where the object is now. */
  readonly path: string;
  readonly reason: OutcomeReason | null;
  /** The record of the server's log that says so. */
  readonly recno: Recno;
}

/** What somebody looks at; the log has them all. */
const SHOWN_REFUSALS = 100;

/** A tree received from the server, whole, ready to take the place of the old one. */
export interface ReceivedTree {
  readonly database: SnapshotDatabase;
  readonly start: SnapshotStart;
}

export class LocalReplica implements AsyncDisposable {
  readonly #options: LocalReplicaOptions;
  readonly #log: OwnLog;
  readonly #index: ClientIndex;
  readonly #standing: StandingTable;
  readonly #listeners = new Set<(what: OwnChange) => void>();
  #state: SqlState;
  #pending: PendingLog;
  #replica: Replica;
  #position: Position;
  #hasTree: boolean;
  /** Own CLOSEs without a hash. */
  #open = new Set<Recno>();

  private constructor(options: LocalReplicaOptions, log: OwnLog, index: ClientIndex) {
    this.#options = options;
    this.#log = log;
    this.#index = index;
    this.#standing = new StandingTable(index);
    const loaded = this.#load();
    this.#state = loaded.state;
    this.#pending = loaded.pending;
    this.#replica = loaded.replica;
    this.#position = loaded.position;
    this.#hasTree = loaded.hasTree;
  }

  /** Opens the durable state of a cache directory, or starts one. The caller holds the cache's lock. */
  static async open(options: LocalReplicaOptions): Promise<LocalReplica> {
    const index = openIndex(join(options.cacheDir, "index.sqlite"));
    try {
      return new LocalReplica(
        options,
        await OwnLog.open({ ...options, syncIndex: index.sync }),
        index,
      );
    } catch (error) {
      index.sqlite.close();
      throw error;
    }
  }

  get cacheDir(): string {
    return this.#options.cacheDir;
  }

  /** Who this client is now; it changes when another one turns out to use the id. */
  get peer(): PeerId {
    return this.#log.peer;
  }

  /** What programs see. Take it anew for each operation: another tree can take its place. */
  get visible(): StateReader {
    return this.#replica.visible;
  }

  /** The server's tree as of {@link position}. */
  get authoritative(): SqlState {
    return this.#state;
  }

  get position(): Position {
    return this.#position;
  }

  /** Tells whether a tree was ever received: before that there is nothing to show, also offline. */
  get hasTree(): boolean {
    return this.#hasTree;
  }

  /** Positions where the state has stood, newest first. */
  get pastPositions(): readonly Position[] {
    return this.#standing.past();
  }

  /** Where the damaged index was put aside when this was opened, or null. */
  get indexSetAside(): string | null {
    return this.#index.setAside;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Bytes of the contents that wait to be sent or acknowledged. */
  get pendingBytes(): number {
    const waiting: readonly { readonly operation: ClientOperation }[] = [
      ...this.#pending.unsent,
      ...this.#pending.frozen.map(({ submitted }) => submitted),
    ];
    return waiting.reduce(
      (sum, { operation }) => sum + (operation.opcode === "CLOSE" ? operation.sizeBytes : 0),
      0,
    );
  }

  /** The records that wait, for the pusher to read. Only this class adds to it. */
  get pending(): PendingLog {
    return this.#pending;
  }

  /** The number of the last own record. */
  get ownHead(): Recno {
    return this.#log.head;
  }

  /** What the server is known to hold of the own records; a push states it. */
  get received(): ReceivedMark {
    return this.#replica.received;
  }

  get toSend(): Replica["toSend"] {
    return this.#replica.toSend;
  }

  /** The conflicts that stand in the visible tree, in the order of their paths. Works offline. */
  conflicts(): StandingConflict[] {
    return Array.from(this.#state.conflictCopies(), (oid) => standingConflict(oid, this.visible))
      .filter((conflict) => conflict !== undefined)
      .toSorted((a, b) => (a.copy.path < b.copy.path ? -1 : 1));
  }

  /** The last own changes that the server has refused, the latest first, by what their objects are now. */
  refusals(): Refusal[] {
    return this.#state.refusals(SHOWN_REFUSALS).map(({ oid, reason, trace }) => ({
      path: objectPath(this.visible, oid),
      reason,
      recno: trace,
    }));
  }

  /**
   * Appends a record to the own log and shows its effect; takes microseconds. When it returns, the
   * record survives the end of this process, and a power cut after {@link syncLog}.
   *
   * @returns its number in the own log, for {@link cancel} and {@link seal}; meaningless after the
   *   peer id has changed
   * @throws KmlAppendError when the disk refuses: nothing has changed; KmlBrokenError
   */
  record(operation: ClientOperation, actor: Actor): Recno {
    // Written down as the server will know it: the own log may forget what it was sent as.
    const followed = withBases(operation, (base) => this.#pending.followSent(base));
    const { recno } = this.#append(followed, actor);
    if (operation.opcode === "CLOSE" && operation.sha256 === null) this.#open.add(recno);
    this.#tell({ kind: "recorded", opcode: operation.opcode });
    return recno;
  }

  /**
   * {@link record} of several operations in one append: a kill leaves all or none, a power cut can leave
   * the first ones.
   *
   * @param make gives them; `first` will be the number of the first, the others follow
   */
  recordTogether(make: (first: Recno) => readonly ClientOperation[], actor: Actor): Recno[] {
    this.#log.payOwed();
    const entries = make((this.ownHead + 1) as Recno).map((operation) => ({
      operation: withBases(operation, (base) => this.#pending.followSent(base)),
      actor,
    }));
    const records = this.#log.append(entries);
    for (const record of records) {
      this.#replica.addOwn(record);
      this.#tell({
        kind: "recorded",
        opcode: record.operation.opcode as ClientOperation["opcode"],
      });
    }
    return records.map(({ recno }) => recno);
  }

  /**
   * Takes back a record whose operation failed, also on a full disk (`OwnLog.cancel`). One that was sent
   * meanwhile stays.
   */
  cancel(recno: Recno): ChangeSet {
    this.#open.delete(recno);
    return this.#replica.addOwn(this.#log.cancel(recno));
  }

  /** What a push of all that waits would do, as far as is known here; nothing is sent. */
  predict(
    waits: (record: PendingRecord) => boolean,
    context: { readonly host: string; readonly policyOf: PolicyOf },
  ): { readonly predicted: readonly Prediction[]; readonly waiting: readonly PendingRecord[] } {
    const ready = this.#pending.sendable();
    const free = withoutHeld(ready, waits).flatMap(({ record }) => record ?? []);
    const frozen = this.#pending.frozen.map(({ submitted }) => submitted);
    const sent = new Set(free);
    const waiting = [
      ...this.unsealed(),
      ...ready.flatMap(({ record }) => (record === null || sent.has(record) ? [] : record)),
    ];
    const known = { state: this.#state, recno: this.#position.recno, peer: this.peer };
    return { predicted: predictPush(frozen, free, { ...known, ...context }), waiting };
  }

  /**
   * Takes back unsent records of operations that were done; says what has to be shown again.
   *
   * @throws KmlAppendError, KmlBrokenError; nothing has changed then
   */
  takeBack(recnos: readonly Recno[]): ChangeSet {
    const cancelled = recnos.map((recno) => ({
      operation: { opcode: "CANCELLED", recno } as const,
      actor: INTERSYNC,
    }));
    return this.#replica.takeBack(this.#log.append(cancelled));
  }

  /** Gives an open CLOSE its content, which is durable and was the same before and after hashing. */
  seal(recno: Recno, content: Omit<SealedOperation, "opcode" | "recno">): ChangeSet {
    const { changes } = this.#append({ opcode: "SEALED", recno, ...content }, INTERSYNC);
    this.#open.delete(recno);
    this.#tell({ kind: "sealed", sha256: content.sha256 });
    return changes;
  }

  /** Own CLOSEs whose content has no hash yet, in the order of their making. */
  unsealed(): readonly PendingRecord[] {
    return [...this.#open].flatMap((recno) => this.#pending.unsentRecord(recno) ?? []);
  }

  /** Tells whether this own CLOSE still waits for its hash. */
  isOpen(recno: Recno): boolean {
    return this.#open.has(recno);
  }

  /** An id for an object that is about to be made here. */
  newOid(): Oid {
    const oid = randomUUID().replaceAll("-", "") as Oid;
    this.#state.noteNew(oid);
    return oid;
  }

  /** Makes all records so far durable. @throws KmlBrokenError */
  async syncLog(): Promise<void> {
    await this.#log.sync();
  }

  /** Calls `listener` after each record and seal, from inside the call; returns how to end that. */
  onRecorded(listener: (what: OwnChange) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /**
   * Freezes records for their first send: they get their numbers and never change again (design C8).
   * They may be sent when this resolves, because then no crash makes others of them.
   *
   * @param show called at once with what looks different, where a name was hidden by what is left out
   */
  async freeze(ready: readonly Optimized[], show: (changes: ChangeSet) => void): Promise<void> {
    for (const { covers, record } of ready) {
      // One after another: each is a base of those behind it under the number that it gets here.
      const operation =
        record === null
          ? null
          : withBases<ClientOperation>(record.operation, (base) => this.#pending.followSent(base));
      const sent = { opcode: "SENT", covers, operation } as const;
      show(this.#append(sent, record?.actor ?? INTERSYNC, record?.authorTimeNs).changes);
    }
    await this.#log.sync();
  }

  /** The server answered that it holds this record. */
  noteReceived(mark: ReceivedMark): void {
    this.#replica.noteReceived(mark);
  }

  /** A new connection: what the server only answered for is sent again. */
  forgetReceived(): void {
    this.#replica.forgetReceived();
  }

  /**
   * Replays records of the server's log. Tree, outcomes and position move in one transaction; when it
   * throws, nothing has moved.
   */
  applyRemote(records: readonly ServerRecord[], last: Position): Pulled {
    let pulled: Pulled;
    try {
      pulled = this.#state.transact(() => {
        const result = this.#replica.pull(records);
        this.#dropTombstones(records);
        const acknowledged = this.#replica.acknowledged;
        this.#standing.write({ position: last, acknowledged }, this.peer);
        return result;
      });
    } catch (error) {
      // The replica in memory went ahead of the index that was rolled back.
      this.#reload();
      throw error;
    }
    this.#position = last;
    return pulled;
  }

  /** Starts to receive a tree; it is thrown away unless {@link adoptTree} takes it. */
  receiveTree(name: "snapshot" | "verify" = "snapshot"): SnapshotDatabase {
    return new SnapshotDatabase(join(this.#options.cacheDir, `${name}.sqlite`), this.peer);
  }

  /** Objects and names in which a received tree is not the authoritative one. */
  differencesFrom(database: SnapshotDatabase): Differing {
    return database.compareWith(this.#index);
  }

  /** What SQLite finds wrong with the index; null for nothing. */
  describeDamage(): string | null {
    return describeDamage(this.#index.sqlite);
  }

  /**
   * Puts a received tree in the place of the authoritative one; what waits stays, on top of it.
   *
   * `isDiverged` says that the server holds records under this peer's id that were not made here.
   */
  adoptTree({ database, start }: ReceivedTree): Pulled {
    const { pending, acknowledged } = loadPending(this.peer, this.#log.read(), database.state);
    const outcomes = new Map(
      acknowledged.map((frozen) => [
        lastCovered(frozen),
        database.state.outcome(frozen.submitted.origin)!,
      ]),
    );
    const mark = later(this.#replica.acknowledged, start.received);
    const { recno } = start.position;
    const differing = this.#differing(database);
    this.#keepForgotten({ database, start }, pending, differing);
    const replica = new Replica(database.state, recno, pending, mark);
    const moves = this.#replica.contentMovesTo(replica, outcomes);
    const changes = changesBetween(this.#replica, replica, differing, moves);
    const isDiverged = this.#isForeign(start.received);
    this.#moveIn({ database, start }, true, mark);
    this.#reload();
    return { changes, isDiverged };
  }

  /** Takes a new peer id and makes all that waits anew under it (design P2). */
  async renewIdentity(): Promise<void> {
    await this.#log.renew(
      (peer) => renumberPending(this.#pending, peer),
      () => this.#reload(),
    );
  }

  /** The records that {@link adoptRestoredTree} would put before what waits; changes nothing. */
  planSalvage(
    { database }: ReceivedTree,
    common: Recno,
    hasContent: (sha256: Sha256) => boolean,
  ): PendingRecord[] {
    const records = this.#salvage(database, common, hasContent, this.peer);
    return records.slice(0, records.length - this.#pending.size);
  }

  /** Paths of files that were changed behind `common` and whose content is not here. */
  pathsWithout(common: Recno, hasContent: (sha256: Sha256) => boolean): string[] {
    const isAbsent = ({ sha256, contentVersion }: TreeObject): boolean =>
      sha256 !== null && (contentVersion as number) > common && !hasContent(sha256);
    return [...this.#state.files()]
      .filter(isAbsent)
      .map(({ oid }) => objectPath(this.#state, oid))
      .toSorted();
  }

  /**
   * Goes on with a server that was restored from a backup: its tree takes the place of the
   * authoritative one, and under a new peer id the own log gets what only this client has of the time
   * since (design P2), before what waits.
   *
   * The new own log counts before the tree is moved: a crash in between finds the divergence again.
   *
   * @param common the last recno that both logs share
   */
  async adoptRestoredTree(
    { database, start }: ReceivedTree,
    common: Recno,
    hasContent: (sha256: Sha256) => boolean,
  ): Promise<ChangeSet> {
    const before = this.#replica;
    const salvaged = (newPeer: PeerId): PendingRecord[] =>
      this.#salvage(database, common, hasContent, newPeer);
    let changes: ChangeSet | undefined;
    await this.#log.renew(salvaged, () => {
      const { pending } = loadPending(this.peer, this.#log.read(), database.state);
      const { recno } = start.position;
      const after = new Replica(database.state, recno, pending, NOTHING_ACKNOWLEDGED);
      changes = changesBetween(before, after, this.#differing(database), []);
      this.#standing.forgetBeyond(common);
      this.#moveIn({ database, start }, false, NOTHING_ACKNOWLEDGED);
      this.#reload();
    });
    return changes!;
  }

  /** Drops what the own log need not keep any more. */
  async truncateLog(): Promise<void> {
    const oldest = this.#pending.oldestRecno ?? ((this.#log.head + 1) as Recno);
    if (!this.#log.canTruncate(oldest) || this.#pending.buildsOnOwn()) return;
    // What acknowledged these records has to survive a power cut before they go.
    this.#index.sqlite.pragma("wal_checkpoint(FULL)");
    await this.#log.truncate(oldest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#log[Symbol.asyncDispose]();
    this.#index.sqlite.close();
  }

  #tell(what: OwnChange): void {
    for (const listener of this.#listeners) listener(what);
  }

  #append(
    operation:
      | ReplicatedOperation
      | Extract<KmlRecord["operation"], { opcode: "SENT" | "SEALED" | "CANCELLED" }>,
    actor: Actor,
    authorTimeNs?: TimeNs,
  ): { readonly recno: Recno; readonly changes: ChangeSet } {
    const entry =
      authorTimeNs === undefined ? { operation, actor } : { operation, actor, authorTimeNs };
    const record = this.#log.append([entry])[0]!;
    return { recno: record.recno, changes: this.#replica.addOwn(record) };
  }

  #load() {
    const { fileset, hash } = this.#options;
    const state = new SqlState(this.#index.sqlite, this.peer);
    const { pending } = loadPending(this.peer, this.#log.read(), state);
    const standing = this.#standing.read(this.peer);
    const position = standing?.position ?? startPosition(fileset, hash);
    const acknowledged = standing?.acknowledged ?? NOTHING_ACKNOWLEDGED;
    const replica = new Replica(state, position.recno, pending, acknowledged);
    this.#open = new Set(
      pending.unsent
        .filter(({ operation }) => operation.opcode === "CLOSE" && operation.sha256 === null)
        .map(({ recno }) => recno),
    );
    return { state, pending, replica, position, hasTree: standing !== undefined };
  }

  #reload(): void {
    const loaded = this.#load();
    this.#state = loaded.state;
    this.#pending = loaded.pending;
    this.#replica = loaded.replica;
    this.#position = loaded.position;
    this.#hasTree = loaded.hasTree;
  }

  /**
   * What the log has forgotten to be removed was known here: own records that wait, and those of a file
   * that a program still writes, show at its last place until the server has judged them.
   */
  #keepForgotten(
    { database, start }: ReceivedTree,
    pending: PendingLog,
    { objects }: Differing,
  ): void {
    if (!this.#hasTree) return;
    const { recno } = start.position;
    const { visible } = new Replica(database.state, recno, pending, NOTHING_ACKNOWLEDGED);
    const removedAt = Math.max(0, start.oldestRecno - 1) as Recno;
    const oids = new Set([...objects, ...this.#replica.touchedObjects()]);
    for (const tombstone of forgottenObjects(this.#replica.visible, visible, oids, removedAt)) {
      database.state.putTombstone(tombstone);
    }
  }

  /** Before the first tree only the root can have been looked at. */
  #differing(database: SnapshotDatabase): Differing {
    if (this.#hasTree) return database.compareWith(this.#index);
    return { objects: [ROOT_OID], names: [...database.state.children(ROOT_OID)] };
  }

  #moveIn({ database, start }: ReceivedTree, isSameLog: boolean, acknowledged: ReceivedMark): void {
    database.moveInto(this.#index, isSameLog, () =>
      this.#standing.write({ position: start.position, acknowledged }, this.peer),
    );
    // A power cut may take the index back, but not to where there was no tree: recovery would take all
    // that is in the cache for work of this machine.
    this.#index.sqlite.pragma("wal_checkpoint(FULL)");
  }

  #salvage(
    { state: after }: SnapshotDatabase,
    common: Recno,
    hasContent: (sha256: Sha256) => boolean,
    newPeer: PeerId,
  ): PendingRecord[] {
    const nowNs = this.#options.nowNs();
    return salvage({
      before: this.#state,
      after,
      common,
      pending: this.#pending,
      newPeer,
      nowNs,
      actor: INTERSYNC,
      hasContent,
    });
  }

  /** Tells whether the server holds a record under this id that this own log cannot have made. */
  #isForeign({ recno, check }: ReceivedMark): boolean {
    if (recno > this.#log.head) return true;
    const waiting = this.#pending.frozenRecord(recno);
    return waiting !== undefined && waiting.submitted.origin.check !== check;
  }

  /** A removal before the oldest record that anybody can build on is forgotten (design §6, snapshot). */
  #dropTombstones(records: readonly ServerRecord[]): void {
    for (const { operation } of records) {
      if (operation.opcode !== "TRUNCATED" || this.#pending.size > 0) continue;
      this.#state.dropTombstonesBefore(operation.oldestRecno);
    }
  }
}

function later(a: ReceivedMark, b: ReceivedMark): ReceivedMark {
  return b.recno > a.recno ? b : a;
}
