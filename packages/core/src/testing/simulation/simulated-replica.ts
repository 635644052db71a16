/**
 * A client's durable state and the visible tree that it gives, on a machine that can stop anywhere: what
 * `LocalReplica` of the client is, with the same parts of `core` (`KmlLog`, `PendingLog`, `Replica`,
 * `salvage`) and a database of the simulation in the place of SQLite.
 */

import { NO_RECNO, type PeerId, type Recno, type Sha256, type TimeNs } from "../../kml/identity.ts";
import type { ClientOperation, LocalOperation } from "../../kml/operation.ts";
import type { Position } from "../../kml/position.ts";
import type { Actor, ServerRecord } from "../../kml/record.ts";
import { withBases } from "../../optimize/dependencies.ts";
import type { Optimized } from "../../optimize/optimize.ts";
import { MemoryState } from "../../replay/memory-state.ts";
import { replay } from "../../replay/replay.ts";
import type { StateReader } from "../../replay/state.ts";
import { renumberPending } from "../../sync/diverge.ts";
import { loadPending } from "../../sync/load-pending.ts";
import { PendingLog } from "../../sync/pending-log.ts";
import type { PendingRecord } from "../../sync/pending-record.ts";
import { Replica, type ReceivedMark } from "../../sync/replica.ts";
import { salvage } from "../../sync/salvage.ts";
import { NOTHING_ACKNOWLEDGED, type ClientHome, type Standing } from "./client-home.ts";
import type { Mutation } from "./mutation.ts";
import { describeTree } from "./places.ts";
import type { Change } from "./recording-state.ts";
import { SimulatedOwnLog, type OwnEntry } from "./simulated-own-log.ts";
import type { Snapshot } from "./simulated-server.ts";

const INTERSYNC: Actor = { uid: 0, gid: 0, groups: [], command: "" };

export class SimulatedReplica {
  readonly #home: ClientHome;
  readonly #mutation: Mutation | null;
  readonly #log: SimulatedOwnLog;
  #pending!: PendingLog;
  #replica!: Replica;
  /** Of the mutation that drops what waits: the last own record that it dropped. */
  #dropped: Recno = NO_RECNO;

  private constructor(home: ClientHome, mutation: Mutation | null, log: SimulatedOwnLog) {
    this.#home = home;
    this.#mutation = mutation;
    this.#log = log;
    this.#load();
  }

  /** Reads everything back: what is known now is what a running client would know. */
  static async open(
    home: ClientHome,
    mutation: Mutation | null,
    now: () => TimeNs,
  ): Promise<SimulatedReplica> {
    const log = await SimulatedOwnLog.open(home.machine, home.sysid, now);
    return new SimulatedReplica(home, mutation, log);
  }

  get peer(): PeerId {
    return this.#log.peer;
  }

  get visible(): StateReader {
    return this.#replica.visible;
  }

  get authoritative(): MemoryState {
    return this.#home.index.tree;
  }

  get standing(): Standing {
    return this.#home.index.facts;
  }

  get pending(): PendingLog {
    return this.#pending;
  }

  get replica(): Replica {
    return this.#replica;
  }

  /** The last own record that a power cut cannot take. */
  get durableRecno(): Recno {
    return this.#log.durable;
  }

  /** Appends a record of a program to the own log and shows it. */
  record(operation: ClientOperation): Recno {
    const followed = withBases(operation, (base) => this.#pending.followSent(base));
    return this.#append({ operation: followed })[0]!;
  }

  /** Appends what InterSync itself notes. */
  note(operation: LocalOperation): void {
    this.#append({ operation, actor: INTERSYNC });
  }

  async syncLog(): Promise<void> {
    await this.#log.sync();
  }

  /** Freezes records for their first send; they may be sent when this resolves. */
  async freeze(ready: readonly Optimized[]): Promise<void> {
    this.#append(
      ...ready.map(({ covers, record }): OwnEntry => {
        const operation = record === null ? null : this.#asSent(record.operation);
        const author = record ?? { actor: INTERSYNC };
        return { ...author, operation: { opcode: "SENT", covers, operation } };
      }),
    );
    this.#replica.showUncovered();
    if (this.#mutation !== "sent before the own log is synced") await this.#log.sync();
  }

  /** Replays the server's records; tree, outcomes and position move together. */
  pull(records: readonly ServerRecord[], last: Position): { readonly isDiverged: boolean } {
    const { index } = this.#home;
    if (this.#mutation === "position moved before the apply")
      index.commit({ ...this.standing, position: last });
    const { isDiverged } =
      this.#mutation === "rebase skipped" ? this.#replay(records) : this.#rebase(records);
    index.commit(this.#movedTo(last, this.#replica.acknowledged));
    return { isDiverged };
  }

  /** Puts a received tree in the place of the authoritative one; what waits stays, on top of it. */
  adopt({ changes, position, received }: Snapshot): { readonly isDiverged: boolean } {
    const waiting = this.#pending.frozenRecord(received.recno);
    const isDiverged =
      received.recno > this.#log.head ||
      (waiting !== undefined && waiting.submitted.origin.check !== received.check);
    const mark = later(this.#replica.acknowledged, received);
    if (this.#mutation === "snapshot drops what waits") this.#dropped = this.#log.head;
    this.#replaceTree(this.#withKnownOutcomes(changes), this.#movedTo(position, mark));
    return { isDiverged };
  }

  /** Takes a new peer id and makes all that waits anew under it. */
  async renew(peer: PeerId): Promise<void> {
    await this.#log.renew(peer, renumberPending(this.#pending, peer), () => {
      this.#home.sysid = peer;
      this.#load();
    });
  }

  /** Goes on with a restored server: it gets back what only this client has, under a new peer id. */
  async adoptRestored(
    { changes, position }: Snapshot,
    common: Recno,
    peer: PeerId,
    nowNs: TimeNs,
    hasContent: (sha256: Sha256) => boolean,
  ): Promise<void> {
    const after = new MemoryState();
    for (const change of changes) change.apply(after);
    const before = this.authoritative;
    const { pending } = loadPending(this.peer, this.#log.read(), before);
    const records: PendingRecord[] = salvage({
      before,
      after,
      common,
      pending,
      newPeer: peer,
      nowNs,
      actor: INTERSYNC,
      hasContent,
    });
    await this.#log.renew(peer, records, () => {
      this.#home.sysid = peer;
      const standing = this.#movedTo(position, NOTHING_ACKNOWLEDGED);
      const past = standing.past.filter(({ recno }) => recno <= common);
      this.#replaceTree(changes, { ...standing, past: [...past, position] });
    });
  }

  /** Drops what the own log need not keep any more. */
  async truncateLog(): Promise<void> {
    const oldest = this.#pending.oldestRecno ?? ((this.#log.head + 1) as Recno);
    if (!this.#log.hasSealedSegments || this.#pending.needsBefore(oldest)) return;
    this.#home.index.checkpoint();
    await this.#log.truncate(oldest);
  }

  /** Shows all that has become stale, as every pull does. */
  rebase(): void {
    if (this.#mutation !== "rebase skipped") this.#replica.pull([]);
  }

  /** What the own log and the index give when they are read back now. */
  readBack(): { readonly pending: PendingLog; readonly replica: Replica } {
    const { index, sysid } = this.#home;
    const { position, peer, acknowledged } = index.facts;
    const own = [...this.#log.read()].filter(({ recno }) => recno > this.#dropped);
    const mark = peer === sysid ? acknowledged : NOTHING_ACKNOWLEDGED;
    const { pending } = loadPending(sysid, own, index.tree, { acknowledgedUpTo: mark.recno });
    return { pending, replica: new Replica(index.changing, position.recno, pending, mark) };
  }

  #load(): void {
    this.#home.index.keepsOutcomesOf = this.#home.sysid;
    const { pending, replica } = this.readBack();
    this.#pending = pending;
    this.#replica = replica;
  }

  #asSent(operation: ClientOperation): ClientOperation {
    const { tree } = this.#home.index;
    return withBases(operation, (base) => {
      const isMoved = this.#mutation === "base moved by rebase" && operation.opcode === "CLOSE";
      if (isMoved && typeof base === "number")
        return tree.object(operation.oid)?.contentVersion ?? base;
      return this.#pending.followSent(base);
    });
  }

  /** A pull shows anew only what it is about; all of it has to be as if everything were (design C5). */
  #rebase(records: readonly ServerRecord[]): { readonly isDiverged: boolean } {
    const pulled = this.#replica.pull(records);
    const { recno, acknowledged } = this.#replica;
    const anew = new Replica(this.#home.index.changing, recno, this.#pending, acknowledged);
    const [shown, expected] = [describeTree(this.visible), describeTree(anew.visible)];
    if (shown !== expected)
      throw new Error(`Cannot rebase: [C5] it shows\n${shown}\nand not\n${expected}`);
    return pulled;
  }

  /** Of the mutation that skips the rebase: nothing but the authoritative tree moves. */
  #replay(records: readonly ServerRecord[]): { readonly isDiverged: boolean } {
    let { recno } = this.standing.position;
    for (const record of records) {
      recno = replay(record, this.#home.index.changing, recno);
      if (record.origin.peer === this.peer) this.#pending.acknowledge(record.origin.recno);
    }
    return { isDiverged: false };
  }

  #append(...entries: readonly OwnEntry[]): Recno[] {
    const records = this.#log.append(entries);
    for (const record of records) this.#replica.addOwn(record);
    return records.map(({ recno }) => recno);
  }

  #replaceTree(changes: readonly Change[], standing: Standing): void {
    this.#home.index.replace(changes, standing);
    this.#load();
  }

  /** Outcomes are facts of the log; those that are known stay, for what waits may build on them. */
  #withKnownOutcomes(changes: readonly Change[]): Change[] {
    const known = this.#home.index.changes().filter(({ origin }) => origin !== null);
    return [...known, ...changes];
  }

  #movedTo(position: Position, acknowledged: ReceivedMark): Standing {
    const past = [...this.standing.past, position];
    return { position, acknowledged, peer: this.peer, hasTree: true, past };
  }
}

function later(a: ReceivedMark, b: ReceivedMark): ReceivedMark {
  return b.recno > a.recno ? b : a;
}
