/**
 * A client as programs and the network meet it: a replica on a machine that can stop, the contents of its
 * files, and the connection's state machine of `core`. The history carries its messages.
 */

import { allAtOnce } from "../../in-pieces.ts";
import type { Oid, PeerId, Recno, Sha256, TimeNs } from "../../kml/identity.ts";
import type { Base, ClientOperation, CloseOperation } from "../../kml/operation.ts";
import type { Position } from "../../kml/position.ts";
import { resolveOperation } from "../../reintegrate/resolve.ts";
import type { StateReader } from "../../replay/state.ts";
import type { TreeObject } from "../../replay/tree-object.ts";
import {
  mayPush,
  nextState,
  START as DISCONNECTED,
  type ConnectionEvent,
  type ConnectionState,
} from "../../sync/connection.ts";
import { ClientContents } from "./client-contents.ts";
import { copyHome, makeHome, type ClientHome } from "./client-home.ts";
import { withLatestContents } from "./mutate-push.ts";
import type { Mutation } from "./mutation.ts";
import { placesOf } from "./places.ts";
import type { Random } from "./random.ts";
import { SimulatedReplica } from "./simulated-replica.ts";
import type { PollReply, Push, PushReply, SimulatedServer } from "./simulated-server.ts";

const MOST_RECORDS_A_PUSH = 6;

/** The rest of what can be sent goes later, and is not looked at again as a rule. */
const MOST_RECORDS_FROZEN = 8;
const MOST_RECORDS_A_POLL = 7;

/** A content of a program here that a power cut can take. */
interface Unsynced {
  readonly peer: PeerId;
  readonly recno: Recno;
  readonly content: Sha256;
}

/** A question of a client, and the connection that it was asked over. */
export type Request = { readonly epoch: number } & (
  | { readonly kind: "poll"; readonly after: Position; readonly limit: number }
  | { readonly kind: "push"; readonly push: Push }
);

export class SimulatedClient {
  readonly name: string;
  /** Cut off from the server by the network. */
  isCut = false;
  /** Times at which a server told this client that its id is used twice, or that its log is lost. */
  divergences = 0;
  readonly #home: ClientHome;
  readonly #mutation: Mutation | null;
  readonly #contents: ClientContents;
  #running: SimulatedReplica | null = null;
  #connection: ConnectionState = DISCONNECTED;
  #epoch = 0;
  #lastPush: Push | null = null;
  #unsynced: Unsynced[] = [];
  #nowNs: TimeNs = 1_600_000_000_000_000_000n;

  private constructor(home: ClientHome, mutation: Mutation | null, contents: ClientContents) {
    this.name = home.machine.name;
    this.#home = home;
    this.#mutation = mutation;
    this.#contents = contents;
  }

  static make(name: string, random: Random, mutation: Mutation | null): SimulatedClient {
    return new SimulatedClient(makeHome(name, random), mutation, new ClientContents());
  }

  /** Another machine with a copy of this one's disk, made while it was running. */
  clone(name: string, random: Random): SimulatedClient {
    const home = copyHome(this.#home, name, random);
    const clone = new SimulatedClient(home, this.#mutation, this.#contents.copy());
    clone.#contents.powerCut(random);
    clone.#nowNs = this.#nowNs;
    return clone;
  }

  get machine(): ClientHome["machine"] {
    return this.#home.machine;
  }

  get isUp(): boolean {
    return this.#running !== null;
  }

  get state(): ConnectionState["name"] {
    return this.#connection.name;
  }

  get visible(): StateReader {
    return this.replica.visible;
  }

  get replica(): SimulatedReplica {
    if (this.#running === null) throw new Error(`Cannot use ${this.name}: it is down`);
    return this.#running;
  }

  get peer(): PeerId {
    return this.replica.peer;
  }

  get position(): Position {
    return this.replica.standing.position;
  }

  get pendingCount(): number {
    return this.replica.pending.size;
  }

  jumpClock(byNs: TimeNs): void {
    this.#nowNs += byNs;
  }

  /** Notes that the machine has stopped; returns the contents that this took. */
  noteStop(random: Random): Sha256[] {
    if (this.#running !== null) this.#forgetSynced();
    this.#running = null;
    this.disconnect();
    if (this.machine.stopped !== "power cut") return [];
    const lost = this.#unsynced.map(({ content }) => content);
    this.#unsynced = [];
    this.#contents.powerCut(random);
    return lost;
  }

  async start(random: Random): Promise<void> {
    const { machine, index } = this.#home;
    index.recover(machine.restart(random), random);
    this.#running = await SimulatedReplica.open(this.#home, this.#mutation, () => this.#tick());
  }

  /** Tells whether a content is in this client's tree, so that it could bring it back to a server. */
  holds(content: Sha256): boolean {
    if (!this.isUp) return false;
    return [this.visible, this.replica.authoritative].some((tree) =>
      placesOf(tree).some(({ object }) => this.#contents.of(object) === content),
    );
  }

  /** Logs an operation of a program and shows it. */
  do(operation: ClientOperation): void {
    this.replica.record(operation);
  }

  /** A program closed a file: the CLOSE is open until {@link seal}. */
  close(oid: Oid, path: string, contentBase: Base, content: Sha256): void {
    const mtimeNs = this.#tick();
    this.#contents.write(mtimeNs, content);
    const sha256 = null;
    const close = { oid, path, contentBase, sizeBytes: 1, mtimeNs, sha256, conflict: null };
    const recno = this.replica.record({ opcode: "CLOSE", ...close });
    this.#unsynced.push({ peer: this.replica.peer, recno, content });
  }

  contentOf(object: TreeObject): Sha256 | null {
    return this.#contents.of(object);
  }

  /** Makes a file durable with all that the own log has: fsync. */
  async fsync(content: Sha256): Promise<void> {
    this.machine.reach();
    this.#contents.sync(content);
    await this.syncLog();
  }

  async syncLog(): Promise<void> {
    await this.replica.syncLog();
    this.#forgetSynced();
  }

  /** Hashes what was closed and makes it durable. */
  seal(): void {
    for (const { recno, operation } of this.#unsealed()) {
      if (this.#isRemoved(recno, operation)) {
        this.replica.note({ opcode: "CANCELLED", recno });
        continue;
      }
      const { sizeBytes, mtimeNs } = operation;
      const sha256 = this.#contents.closedAt(mtimeNs);
      this.machine.reach();
      this.#contents.sync(sha256);
      this.replica.note({ opcode: "SEALED", recno, sizeBytes, mtimeNs, sha256 });
    }
  }

  /** The connection is lost, or nobody answers. */
  disconnect(): void {
    this.#epoch += 1;
    this.#lastPush = null;
    this.#happen("unreachable");
  }

  /** Asks the server who it is. */
  connect(): void {
    this.replica.replica.forgetReceived();
    this.#happen(this.replica.standing.hasTree ? "connected" : "connected-empty");
  }

  /** What to ask next over the connection as it is, or null. Freezes what can be sent. */
  async nextRequest(wantsPush: boolean): Promise<Request | null> {
    const epoch = this.#epoch;
    if (this.#connection.name !== "polling" && this.#connection.name !== "pushing") return null;
    if (wantsPush && mayPush(this.#connection)) {
      const push = await this.#nextPush();
      if (push !== null) return { kind: "push", epoch, push };
    }
    return { kind: "poll", epoch, after: this.position, limit: MOST_RECORDS_A_POLL };
  }

  async takePoll(
    { epoch, after }: Extract<Request, { kind: "poll" }>,
    reply: PollReply,
    server: SimulatedServer,
  ): Promise<void> {
    if (epoch !== this.#epoch || after.recno !== this.position.recno) return;
    if (reply.kind !== "records") {
      if (reply.kind === "log-diverged") this.divergences += 1;
      this.#happen(reply.kind);
      return;
    }
    const { records, last, head } = reply;
    if (records.length > 0) {
      const { isDiverged } = this.replica.pull(records, last);
      if (isDiverged) this.#noteTakenId();
      this.#fetch(server);
    }
    this.#happen(last.recno >= head.recno ? "caught-up" : "pulled");
    await this.replica.truncateLog();
  }

  takePush({ epoch, push }: Extract<Request, { kind: "push" }>, reply: PushReply): void {
    if (epoch !== this.#epoch || push !== this.#lastPush) return;
    if (reply.kind === "received") {
      this.replica.replica.noteReceived(reply.mark);
      this.#happen("push-ended");
    } else {
      // A content that is nowhere any more can never be sent as it is: under a new id it is unsent again.
      this.#noteTakenId();
    }
  }

  /** Receives a tree; what waits stays. */
  receiveTree(server: SimulatedServer): void {
    const { isDiverged } = this.replica.adopt(server.snapshot(this.replica.peer));
    this.#fetch(server);
    this.#happen("tree-adopted");
    if (isDiverged) this.#noteTakenId();
  }

  /** Takes a new id, after the log was pulled to its head under the old one. */
  async renew(server: SimulatedServer, random: Random): Promise<void> {
    for (let isBehind = true; isBehind;) {
      const reply = server.poll(this.position, MOST_RECORDS_A_POLL);
      if (reply.kind !== "records") {
        this.#happen(reply.kind);
        return;
      }
      if (reply.records.length > 0) this.replica.pull(reply.records, reply.last);
      isBehind = reply.last.recno < reply.head.recno;
    }
    this.#fetch(server);
    await this.replica.renew(random.hex(32) as PeerId);
    this.#happen("recovered");
  }

  /** Brings back to a restored server what only this client has. */
  async salvage(server: SimulatedServer, random: Random): Promise<void> {
    const common = this.replica.standing.past.findLast(
      (position) => server.relate(position) === "shared",
    );
    const snapshot = server.snapshot(this.replica.peer);
    const here = this.#contentsInTree();
    await this.replica.adoptRestored(
      snapshot,
      common?.recno ?? (0 as Recno),
      random.hex(32) as PeerId,
      this.#tick(),
      (sha256) => here.has(sha256),
    );
    this.#fetch(server);
    this.#happen("recovered");
  }

  get divergence(): ConnectionState["divergence"] {
    return this.#connection.divergence;
  }

  checkpoint(): void {
    this.#home.index.checkpoint();
  }

  async #nextPush(): Promise<Push | null> {
    const { replica, pending } = this.replica;
    while (replica.toSend.length === 0) {
      allAtOnce(pending.look());
      const ready = [...pending.ready()].slice(0, MOST_RECORDS_FROZEN);
      if (ready.length === 0) break;
      // oxlint-disable-next-line no-await-in-loop -- until there is something to send, or nothing to freeze
      await this.replica.freeze(ready);
    }
    const batch = replica.toSend.slice(0, MOST_RECORDS_A_PUSH);
    if (batch.length === 0) return null;
    let records = batch.map(({ submitted }) => submitted);
    if (this.#mutation === "optimizing after sending")
      records = withLatestContents(records, pending.frozen);
    const contents = records
      .flatMap(({ operation }) => (operation.opcode === "CLOSE" ? operation.sha256 : null))
      .filter((sha256) => sha256 !== null && this.#contents.has(sha256)) as Sha256[];
    const { peer, received } = { peer: this.replica.peer, received: replica.received };
    this.#lastPush = { peer, host: this.name, received, records, contents };
    this.#happen("push-began");
    return this.#lastPush;
  }

  /** Nothing is left to seal of a file that its author has removed; one that is not known yet was not. */
  #isRemoved(recno: Recno, operation: CloseOperation): boolean {
    const oid = contentOid(operation, this.visible);
    const isThere = this.visible.object(oid) !== undefined;
    return !isThere && this.visible.tombstone(oid) !== undefined && this.#isSeenByRemoval(recno);
  }

  /**
   * Tells whether a removal that waits was of this content, or of one that follows it. Two contents can
   * have come under one id since they were written; a removal takes only the one that its program saw.
   */
  #isSeenByRemoval(recno: Recno): boolean {
    const { peer } = this.replica;
    const bases = new Map<Recno, Base>();
    const removed: Base[] = [];
    for (const { recno: own, operation } of this.replica.pending.unsent) {
      if (operation.opcode === "CLOSE") bases.set(own, operation.contentBase);
      if (operation.opcode === "UNLINK") removed.push(operation.contentBase);
      if (operation.opcode === "RENAME" && operation.victim?.contentBase != null)
        removed.push(operation.victim.contentBase);
    }
    return removed.some((base) => {
      // A version of an id that this client had before says nothing: its numbers were others.
      for (let at: Base | undefined = base; typeof at === "object" && at.peer === peer;) {
        if (at.recno === recno) return true;
        at = bases.get(at.recno);
      }
      return false;
    });
  }

  #unsealed(): { readonly recno: Recno; readonly operation: CloseOperation }[] {
    return this.replica.pending.unsent.flatMap(({ recno, operation }) =>
      operation.opcode === "CLOSE" && operation.sha256 === null ? [{ recno, operation }] : [],
    );
  }

  /** As a cache in replica mode: every content at once. */
  #fetch(server: SimulatedServer): void {
    for (const { sha256 } of this.replica.authoritative.objects()) {
      if (sha256 !== null && server.hasContent(sha256)) this.#contents.fetch(sha256);
    }
  }

  #contentsInTree(): Set<Sha256> {
    const here = new Set<Sha256>();
    for (const { sha256 } of this.replica.authoritative.objects()) {
      if (sha256 !== null && this.#contents.has(sha256)) here.add(sha256);
    }
    return here;
  }

  #noteTakenId(): void {
    this.divergences += 1;
    this.#happen("peer-diverged");
  }

  #forgetSynced(): void {
    const { peer, durableRecno } = this.replica;
    this.#unsynced = this.#unsynced.filter(
      (one) =>
        !this.#contents.isSynced(one.content) || (one.peer === peer && one.recno > durableRecno),
    );
  }

  #happen(event: ConnectionEvent): void {
    this.#connection = nextState(this.#connection, event);
  }

  #tick(): TimeNs {
    this.#nowNs += 1_000_000_007n;
    return this.#nowNs;
  }
}

/** The object that holds the content of an own CLOSE now. */
function contentOid(operation: CloseOperation, visible: StateReader): Oid {
  const resolution = resolveOperation(operation, visible);
  if (resolution.kind === "resolved" && resolution.operation.opcode === "CLOSE")
    return resolution.operation.oid;
  return operation.oid;
}
