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
  type Actor,
  type ChangeSet,
  type ClientOperation,
  type Differing,
  type Disk,
  type FilesetId,
  type HashFunction,
  type KmlRecord,
  type Oid,
  type Optimized,
  type PeerId,
  type PendingLog,
  type PendingRecord,
  type PolicyOf,
  type Position,
  type Pulled,
  type ReceivedMark,
  type Recno,
  renumberPending,
  type Replica,
  type ReplicatedOperation,
  type SealedOperation,
  type ServerRecord,
  type Sha256,
  type StandingConflict,
  type StateReader,
  type TimeNs,
  withBases,
} from "@izo/core";

import { describeDamage } from "../../db/index-damage.ts";
import { openIndex } from "../../db/open-index.ts";
import { SnapshotDatabase } from "../../db/snapshot-database.ts";
import type { SqlState } from "../../db/sql-state.ts";
import { StandingTable } from "../../db/standing.ts";
import { INTERSYNC, OwnLog } from "../../log/own-log.ts";
import {
  type HasContent,
  moveInReceived,
  moveInRestored,
  pathsWithout,
  type ReceivedTree,
  salvageRecords,
} from "../pull/received-tree.ts";
import { type LoadedReplica, loadReplica, type ReplicaSources } from "./load-replica.ts";
import {
  bytesWaiting,
  lastRefusals,
  type PredictedPush,
  predictOwnPush,
  type Refusal,
  standingConflicts,
  unsealedCloses,
} from "./replica-report.ts";

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

export class LocalReplica implements AsyncDisposable {
  readonly #sources: ReplicaSources;
  readonly #listeners = new Set<(what: OwnChange) => void>();
  #loaded: LoadedReplica;

  private constructor(sources: ReplicaSources) {
    this.#sources = sources;
    this.#loaded = loadReplica(sources);
  }

  /** Opens the durable state of a cache directory, or starts one. The caller holds the cache's lock. */
  static async open(options: LocalReplicaOptions): Promise<LocalReplica> {
    const index = openIndex(join(options.cacheDir, "index.sqlite"));
    try {
      const log = await OwnLog.open({ ...options, syncIndex: index.sync });
      return new LocalReplica({ options, log, index, standing: new StandingTable(index) });
    } catch (error) {
      index.sqlite.close();
      throw error;
    }
  }

  get cacheDir(): string {
    return this.#sources.options.cacheDir;
  }

  /** Who this client is now; it changes when another one turns out to use the id. */
  get peer(): PeerId {
    return this.#sources.log.peer;
  }

  /** What programs see. Take it anew for each operation: another tree can take its place. */
  get visible(): StateReader {
    return this.#loaded.replica.visible;
  }

  /** The server's tree as of {@link position}. */
  get authoritative(): SqlState {
    return this.#loaded.state;
  }

  get position(): Position {
    return this.#loaded.position;
  }

  /** Tells whether a tree was ever received: before that there is nothing to show, also offline. */
  get hasTree(): boolean {
    return this.#loaded.hasTree;
  }

  /** Positions where the state has stood, newest first. */
  get pastPositions(): readonly Position[] {
    return this.#sources.standing.past();
  }

  /** Where the damaged index was put aside when this was opened, or null. */
  get indexSetAside(): string | null {
    return this.#sources.index.setAside;
  }

  get pendingCount(): number {
    return this.#loaded.pending.size;
  }

  /** Bytes of the contents that wait to be sent or acknowledged. */
  get pendingBytes(): number {
    return bytesWaiting(this.#loaded);
  }

  /** The records that wait, for the pusher to read. Only this class adds to it. */
  get pending(): PendingLog {
    return this.#loaded.pending;
  }

  /** The number of the last own record. */
  get ownHead(): Recno {
    return this.#sources.log.head;
  }

  /** What the server is known to hold of the own records; a push states it. */
  get received(): ReceivedMark {
    return this.#loaded.replica.received;
  }

  get toSend(): Replica["toSend"] {
    return this.#loaded.replica.toSend;
  }

  /** The conflicts that stand in the visible tree, in the order of their paths. Works offline. */
  conflicts(): StandingConflict[] {
    return standingConflicts(this.#loaded);
  }

  /** The last own changes that the server has refused, the latest first, by what their objects are now. */
  refusals(): Refusal[] {
    return lastRefusals(this.#loaded);
  }

  /**
   * Appends a record to the own log; takes microseconds. When it returns, the record survives the end of this
   * process, and a power cut after {@link syncLog}. Its effect shows to whoever looks ({@link showRecorded}).
   *
   * @returns its number in the own log, for {@link cancel} and {@link seal}; meaningless after the
   *   peer id has changed
   * @throws KmlAppendError when the disk refuses: nothing has changed; KmlBrokenError
   */
  record(operation: ClientOperation, actor: Actor): Recno {
    // Written down as the server will know it: the own log may forget what it was sent as.
    const followed = withBases(operation, (base) => this.#loaded.pending.followSent(base));
    const { recno } = this.#append(followed, actor);
    if (operation.opcode === "CLOSE" && operation.sha256 === null) this.#loaded.open.add(recno);
    this.#tell({ kind: "recorded", opcode: operation.opcode });
    return recno;
  }

  /** Shows what was recorded, which else is done when somebody looks: to be called when who made it has been told. */
  showRecorded(): void {
    this.#loaded.replica.showOwn();
  }

  /**
   * {@link record} of several operations in one append: a kill leaves all or none, a power cut can leave
   * the first ones.
   *
   * @param make gives them; `first` will be the number of the first, the others follow
   */
  recordTogether(make: (first: Recno) => readonly ClientOperation[], actor: Actor): Recno[] {
    this.#sources.log.payOwed();
    const entries = make((this.ownHead + 1) as Recno).map((operation) => ({
      operation: withBases(operation, (base) => this.#loaded.pending.followSent(base)),
      actor,
    }));
    const records = this.#sources.log.append(entries);
    for (const record of records) {
      this.#loaded.replica.addOwn(record);
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
    this.#loaded.open.delete(recno);
    return this.#loaded.replica.addOwn(this.#sources.log.cancel(recno));
  }

  /** What a push of all that waits would do, as far as is known here; nothing is sent. */
  predict(
    waits: (record: PendingRecord) => boolean,
    context: { readonly host: string; readonly policyOf: PolicyOf },
  ): PredictedPush {
    return predictOwnPush(this.#loaded, waits, { ...context, peer: this.peer });
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
    return this.#loaded.replica.takeBack(this.#sources.log.append(cancelled));
  }

  /** Gives an open CLOSE its content, which is durable and was the same before and after hashing. */
  seal(recno: Recno, content: Omit<SealedOperation, "opcode" | "recno">): ChangeSet {
    const { changes } = this.#append({ opcode: "SEALED", recno, ...content }, INTERSYNC);
    this.#loaded.open.delete(recno);
    this.#tell({ kind: "sealed", sha256: content.sha256 });
    return changes;
  }

  /** Own CLOSEs whose content has no hash yet, in the order of their making. */
  unsealed(): readonly PendingRecord[] {
    return unsealedCloses(this.#loaded);
  }

  /** Tells whether this own CLOSE still waits for its hash. */
  isOpen(recno: Recno): boolean {
    return this.#loaded.open.has(recno);
  }

  /** An id for an object that is about to be made here. */
  newOid(): Oid {
    const oid = randomUUID().replaceAll("-", "") as Oid;
    this.#loaded.state.noteNew(oid);
    return oid;
  }

  /** Makes all records so far durable. @throws KmlBrokenError */
  async syncLog(): Promise<void> {
    await this.#sources.log.sync();
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
   * @param show called before that with what looks different, where names were hidden by what is left out
   */
  async freeze(ready: readonly Optimized[], show: (changes: ChangeSet) => void): Promise<void> {
    // What builds on another of them names it by the number that it gets here: so it is read, and the log keeps both.
    const entries = ready.map(({ covers, record }) => {
      const operation =
        record &&
        withBases<ClientOperation>(record.operation, (base) =>
          this.#loaded.pending.followSent(base),
        );
      const sent = { opcode: "SENT", covers, operation } as const;
      return record === null
        ? { operation: sent, actor: INTERSYNC }
        : { operation: sent, actor: record.actor, authorTimeNs: record.authorTimeNs };
    });
    for (const record of this.#sources.log.append(entries)) this.#loaded.replica.addOwn(record);
    show(this.#loaded.replica.showUncovered());
    await this.#sources.log.sync();
  }

  /** The server answered that it holds this record. */
  noteReceived(mark: ReceivedMark): void {
    this.#loaded.replica.noteReceived(mark);
  }

  /** A new connection: what the server only answered for is sent again. */
  forgetReceived(): void {
    this.#loaded.replica.forgetReceived();
  }

  /**
   * Replays records of the server's log. Tree, outcomes and position move in one transaction; when it
   * throws, nothing has moved.
   */
  applyRemote(records: readonly ServerRecord[], last: Position): Pulled {
    let pulled: Pulled;
    try {
      pulled = this.#loaded.state.transact(() => {
        const result = this.#loaded.replica.pull(records);
        this.#dropTombstones(records);
        const acknowledged = this.#loaded.replica.acknowledged;
        this.#sources.standing.write({ position: last, acknowledged }, this.peer);
        return result;
      });
    } catch (error) {
      // The replica in memory went ahead of the index that was rolled back.
      this.#reload();
      throw error;
    }
    this.#loaded.position = last;
    return pulled;
  }

  /** Starts to receive a tree; it is thrown away unless {@link adoptTree} takes it. */
  receiveTree(name: "snapshot" | "verify" = "snapshot"): SnapshotDatabase {
    return new SnapshotDatabase(join(this.#sources.options.cacheDir, `${name}.sqlite`), this.peer);
  }

  /** Objects and names in which a received tree is not the authoritative one. */
  differencesFrom(database: SnapshotDatabase): Differing {
    return database.compareWith(this.#sources.index);
  }

  /** What SQLite finds wrong with the index; null for nothing. */
  describeDamage(): string | null {
    return describeDamage(this.#sources.index.sqlite);
  }

  /**
   * Puts a received tree in the place of the authoritative one; what waits stays, on top of it.
   *
   * `isDiverged` says that the server holds records under this peer's id that were not made here.
   */
  adoptTree(received: ReceivedTree): Pulled {
    const pulled = moveInReceived(this.#sources, this.#loaded, received);
    this.#reload();
    this.#loaded.state.inherit(received.database.state);
    return pulled;
  }

  /** Takes a new peer id and makes all that waits anew under it (design P2). */
  async renewIdentity(): Promise<void> {
    await this.#sources.log.renew(
      (peer) => renumberPending(this.#loaded.pending, peer),
      () => this.#reload(),
    );
  }

  /** The records that {@link adoptRestoredTree} would put before what waits; changes nothing. */
  planSalvage({ database }: ReceivedTree, common: Recno, hasContent: HasContent): PendingRecord[] {
    const records = this.#salvage(database, common, hasContent, this.peer);
    return records.slice(0, records.length - this.pendingCount);
  }

  /** Paths of files that were changed behind `common` and whose content is not here. */
  pathsWithout(common: Recno, hasContent: HasContent): string[] {
    return pathsWithout(this.#loaded, common, hasContent);
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
    received: ReceivedTree,
    common: Recno,
    hasContent: HasContent,
  ): Promise<ChangeSet> {
    const salvaged = (newPeer: PeerId): PendingRecord[] =>
      this.#salvage(received.database, common, hasContent, newPeer);
    let changes: ChangeSet | undefined;
    await this.#sources.log.renew(salvaged, () => {
      changes = moveInRestored(this.#sources, this.#loaded, received, common);
      this.#reload();
    });
    return changes!;
  }

  /** Drops what the own log need not keep any more. */
  async truncateLog(): Promise<void> {
    const oldest = this.#loaded.pending.oldestRecno ?? ((this.#sources.log.head + 1) as Recno);
    if (!this.#sources.log.canTruncate(oldest) || this.#loaded.pending.needsBefore(oldest)) return;
    // What acknowledged these records has to survive a power cut before they go.
    this.#sources.index.sqlite.pragma("wal_checkpoint(FULL)");
    await this.#sources.log.truncate(oldest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sources.log[Symbol.asyncDispose]();
    this.#sources.index.sqlite.close();
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
    const record = this.#sources.log.append([entry])[0]!;
    return { recno: record.recno, changes: this.#loaded.replica.addOwn(record) };
  }

  #reload(): void {
    this.#loaded = loadReplica(this.#sources);
  }

  #salvage(
    database: SnapshotDatabase,
    common: Recno,
    hasContent: HasContent,
    newPeer: PeerId,
  ): PendingRecord[] {
    return salvageRecords(this.#sources, this.#loaded, database, common, hasContent, newPeer);
  }

  /** A removal before the oldest record that anybody can build on is forgotten (design §6, snapshot). */
  #dropTombstones(records: readonly ServerRecord[]): void {
    for (const { operation } of records) {
      if (operation.opcode !== "TRUNCATED" || this.#loaded.pending.size > 0) continue;
      this.#loaded.state.dropTombstonesBefore(operation.oldestRecno);
    }
  }
}
