import {
  EMPTY_SHA256,
  NO_RECNO,
  type Oid,
  type PeerId,
  type Recno,
  type Sha256,
  type TimeNs,
} from "../../kml/identity.ts";
import type { Base, ClientOperation, Operation } from "../../kml/operation.ts";
import { NO_CHECK, type Actor, type KmlRecord, type ServerRecord } from "../../kml/record.ts";
import { withBases } from "../../optimize/dependencies.ts";
import { MemoryState } from "../../replay/memory-state.ts";
import type { StateReader } from "../../replay/state.ts";
import type { TreeObject } from "../../replay/tree-object.ts";
import { renumberPending } from "../../sync/diverge.ts";
import { PendingLog } from "../../sync/pending-log.ts";
import type { FrozenRecord, PendingRecord } from "../../sync/pending-record.ts";
import { Replica } from "../../sync/replica.ts";
import { salvage } from "../../sync/salvage.ts";
import type { Mutation } from "./mutation.ts";
import type { Random } from "./random.ts";
import type {
  PollReply,
  Push,
  PushReply,
  SimulatedPosition,
  SimulatedServer,
} from "./simulated-server.ts";

const ACTOR: Actor = { uid: 1000, gid: 1000, groups: [1000], command: "sim" };
const MOST_RECORDS_A_PUSH = 6;
const START: SimulatedPosition = { recno: NO_RECNO, serial: 0 };

/** What a cloned disk takes along. */
interface Disk {
  readonly ownLog: readonly KmlRecord[];
  readonly contents: ReadonlySet<Sha256>;
  readonly seen: readonly ServerRecord[];
  readonly positions: readonly SimulatedPosition[];
  readonly peer: PeerId;
  readonly openContents: ReadonlyMap<Recno, Sha256>;
}

/** A client as a state machine around the real {@link Replica}: own log, contents, InterSync without a network. */
export class SimulatedClient {
  readonly name: string;
  readonly #mutation: Mutation | null;
  readonly #random: Random;
  /** Times at which a server told this client that its id is used twice. */
  divergences = 0;

  #peer: PeerId;
  #ownLog: KmlRecord[] = [];
  #contents = new Set<Sha256>([EMPTY_SHA256]);
  #pending: PendingLog;
  #authoritative = new MemoryState();
  #replica: Replica;
  #seen: ServerRecord[] = [];
  #positions: SimulatedPosition[] = [START];
  /** Contents by the own record that brought them: what hashing the local file would give. */
  #openContents = new Map<Recno, Sha256>();
  #lastPush: Push | null = null;
  #needsNewPeer = false;
  #nowNs: TimeNs = 1_600_000_000_000_000_000n;

  constructor(name: string, random: Random, mutation: Mutation | null) {
    this.name = name;
    this.#random = random;
    this.#mutation = mutation;
    this.#peer = random.hex(32) as PeerId;
    this.#pending = new PendingLog(this.#peer);
    this.#replica = this.#open({ recno: NO_RECNO, check: NO_CHECK });
  }

  get visible(): StateReader {
    return this.#replica.visible;
  }

  get authoritative(): StateReader {
    return this.#authoritative;
  }

  get peer(): PeerId {
    return this.#peer;
  }

  get recno(): Recno {
    return this.#replica.recno;
  }

  get position(): SimulatedPosition {
    return this.#positions.at(-1)!;
  }

  get unsentCount(): number {
    return this.#pending.unsent.length;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Logs an operation of a program and shows it. */
  do(operation: ClientOperation): Recno {
    const saved =
      operation.opcode === "RENAME" && operation.keepsOid
        ? this.visible.object(operation.oid)
        : undefined;
    const content = saved && this.contentOf(saved);
    const recno = this.#log(operation);
    if (content) this.#openContents.set(recno, content);
    return recno;
  }

  /** A program closed a file: the CLOSE is open until {@link seal}. */
  close(oid: Oid, path: string, contentBase: Base, content: Sha256): Recno {
    const recno = this.#log({
      opcode: "CLOSE",
      oid,
      path,
      contentBase,
      sizeBytes: 1,
      mtimeNs: this.#nowNs,
      sha256: null,
      conflict: null,
    });
    this.#openContents.set(recno, content);
    this.#contents.add(content);
    return recno;
  }

  /** The content that a program would read, also where its hash is not known yet. */
  contentOf(object: TreeObject): Sha256 | null {
    if (object.kind !== "file") return null;
    const { sha256, contentVersion } = object;
    if (sha256 !== null || typeof contentVersion === "number") return sha256;
    return this.#openContents.get(contentVersion.recno) ?? null;
  }

  /** Hashes what is open. */
  seal(): void {
    for (const { recno, operation } of this.#pending.unsent) {
      const content = this.#openContents.get(recno);
      if (operation.opcode !== "CLOSE" || operation.sha256 !== null || content === undefined)
        continue;
      this.#log({
        opcode: "SEALED",
        recno,
        sizeBytes: 1,
        mtimeNs: operation.mtimeNs,
        sha256: content,
      });
    }
  }

  /** Freezes all that can be sent, optimized. Returns the own records that this covers. */
  freezeAll(): Recno[] {
    const frozen: Recno[] = [];
    for (const { covers, record } of this.#pending.sendable()) {
      this.#log(
        { opcode: "SENT", covers, operation: record?.operation ?? null },
        record ?? undefined,
      );
      frozen.push(...covers);
    }
    return frozen;
  }

  /** What to send next, or null. Freezes all that can be sent; nothing frozen changes again. */
  preparePush(): Push | null {
    if (this.#needsNewPeer) return null;
    this.freezeAll();
    let records = this.#replica.toSend
      .slice(0, MOST_RECORDS_A_PUSH)
      .map(({ submitted }) => submitted);
    if (this.#mutation === "optimizing after sending") records = this.#withLatestContents(records);
    if (records.length === 0) return null;
    const contents = records.flatMap(({ operation }) =>
      operation.opcode === "CLOSE" && operation.sha256 !== null ? [operation.sha256] : [],
    );
    this.#lastPush = {
      peer: this.#peer,
      host: this.name,
      received: this.#replica.received,
      records,
      contents,
    };
    return this.#lastPush;
  }

  /** Takes the answer to a push; one to an earlier push came over a connection that was given up. */
  takePushReply(push: Push, reply: PushReply): void {
    if (push !== this.#lastPush) return;
    if (reply.kind === "received") this.#replica.noteReceived(reply);
    else this.#diverge();
  }

  /** Takes in an answer to a poll that was made from some earlier position; fetches what it names. */
  takePollReply(reply: PollReply, server: SimulatedServer): void {
    if (reply.kind === "log-diverged") {
      this.#salvage(server);
      return;
    }
    const fresh = reply.records.filter(({ recno }) => recno > this.recno);
    const { isDiverged } = this.#replica.pull(fresh);
    this.#seen.push(...fresh);
    this.#positions.push(...reply.positions.filter(({ recno }) => recno > this.position.recno));
    if (isDiverged) this.#diverge();
    this.#fetch(server);
    if (this.#mutation === "base moved by rebase") this.#moveBases();
    if (this.#needsNewPeer && this.recno >= reply.head) this.#takeNewPeer();
  }

  /** The server was away: connections from before are gone. */
  reconnect(): void {
    this.#lastPush = null;
    this.#replica.forgetReceived();
  }

  /** Another machine with a copy of this one's disk. */
  clone(name: string): SimulatedClient {
    const clone = new SimulatedClient(name, this.#random, this.#mutation);
    clone.#restore({
      ownLog: this.#ownLog,
      contents: this.#contents,
      seen: this.#seen,
      positions: this.#positions,
      peer: this.#peer,
      openContents: this.#openContents,
    });
    return clone;
  }

  #restore(disk: Disk): void {
    this.#peer = disk.peer;
    this.#ownLog = [...disk.ownLog];
    this.#contents = new Set(disk.contents);
    this.#seen = [...disk.seen];
    this.#positions = [...disk.positions];
    this.#openContents = new Map(disk.openContents);
    this.#pending = new PendingLog(disk.peer);
    for (const record of this.#ownLog) this.#pending.add(record);
    this.#authoritative = new MemoryState();
    const none = { recno: NO_RECNO, check: NO_CHECK };
    this.#replica = new Replica(this.#authoritative, NO_RECNO, this.#pending, none);
    this.#needsNewPeer = this.#replica.pull(this.#seen).isDiverged;
  }

  #open(acknowledged: { recno: Recno; check: string }): Replica {
    return new Replica(this.#authoritative, this.position.recno, this.#pending, acknowledged);
  }

  #log(operation: Operation, author?: PendingRecord): Recno {
    this.#nowNs += 1_000_000_000n;
    const recno = (this.#ownLog.length + 1) as Recno;
    const record: KmlRecord = {
      recno,
      authorTimeNs: author?.authorTimeNs ?? this.#nowNs,
      logTimeNs: this.#nowNs,
      origin: { peer: this.#peer, recno, check: NO_CHECK },
      actor: ACTOR,
      operation,
    };
    this.#ownLog.push(record);
    this.#replica.addOwn(record);
    return recno;
  }

  #fetch(server: SimulatedServer): void {
    for (const { sha256 } of this.#authoritative.objects()) {
      if (sha256 !== null && server.hasContent(sha256)) this.#contents.add(sha256);
    }
  }

  #diverge(): void {
    if (!this.#needsNewPeer) this.divergences += 1;
    this.#needsNewPeer = true;
  }

  #takeNewPeer(): void {
    this.seal();
    const peer = this.#random.hex(32) as PeerId;
    this.#startOwnLog(peer, renumberPending(this.#pending, peer));
  }

  #salvage(server: SimulatedServer): void {
    this.seal();
    this.divergences += 1;
    const peer = this.#random.hex(32) as PeerId;
    const common = this.#positions.findLast((position) => server.knows(position)) ?? START;
    const { state, position } = server.snapshot();
    const records = salvage({
      before: this.#authoritative,
      after: state,
      common: common.recno,
      pending: this.#pending,
      newPeer: peer,
      nowNs: this.#nowNs,
      actor: ACTOR,
      hasContent: (sha256) => this.#contents.has(sha256),
    });
    this.#authoritative = state;
    this.#seen = [...server.log];
    this.#positions = [...this.#positions.filter(({ recno }) => recno <= common.recno), position];
    this.#startOwnLog(peer, records);
  }

  /** The own log of a new id: what waits, made again under its numbers. */
  #startOwnLog(peer: PeerId, records: readonly PendingRecord[]): void {
    this.#peer = peer;
    this.#lastPush = null;
    this.#needsNewPeer = false;
    this.#ownLog = [];
    this.#openContents = new Map();
    this.#pending = new PendingLog(peer);
    this.#replica = this.#open({ recno: NO_RECNO, check: NO_CHECK });
    for (const record of records) this.#log(record.operation, record);
  }

  /** The mutated rebase: pending contents are said to build on whatever the server has now. */
  #moveBases(): void {
    const waiting = this.#pending.unsent;
    if (waiting.length === 0 || this.#pending.frozen.length > 0) return;
    const openContents = new Map(this.#openContents);
    this.#pending = new PendingLog(this.#peer);
    const log = this.#ownLog.map((record) => {
      const { operation } = record;
      if (!waiting.some(({ recno }) => recno === record.recno) || operation.opcode !== "CLOSE")
        return record;
      const current = this.#authoritative.object(operation.oid)?.contentVersion;
      if (current === undefined) return record;
      return {
        ...record,
        operation: withBases(operation, (base) => (typeof base === "number" ? current : base)),
      };
    });
    for (const record of log) this.#pending.add(record);
    for (const { origin } of this.#seen)
      if (origin.peer === this.#peer) this.#pending.acknowledge(origin.recno);
    this.#ownLog = log;
    this.#openContents = openContents;
    this.#replica = this.#open(this.#replica.acknowledged);
  }

  /** The mutated optimizer: a frozen CLOSE gets the newest content before it is sent again. */
  #withLatestContents(records: readonly FrozenRecord["submitted"][]): FrozenRecord["submitted"][] {
    return records.map((record) => {
      const { operation, origin } = record;
      if (operation.opcode !== "CLOSE") return record;
      const latest = this.#pending.frozen
        .map(({ submitted }) => submitted.operation)
        .findLast((other) => other.opcode === "CLOSE" && other.oid === operation.oid);
      if (latest === undefined || latest === operation || latest.opcode !== "CLOSE") return record;
      const check = `${origin.check.slice(0, 8)}00000000`;
      return {
        ...record,
        origin: { ...origin, check },
        operation: { ...operation, sha256: latest.sha256 },
      };
    });
  }
}
