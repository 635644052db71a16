/**
 * InterSync: keeps one client and its server together (design C5). It polls the server's log and
 * replays it, and pushes the own log, both at the same time; the connection's state machine in
 * `@izo/core` says what to do next. The mount starts it and disposes of it.
 *
 * It holds nothing that a crash could lose: what it has replayed and what it has to send are in the
 * `LocalReplica`. The worst outcome of an error here is to stand still, and the status says why.
 */

import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

import {
  CONNECTION_START,
  mayPush,
  nextState,
  retryDelayMs,
  type ChangeSet,
  type ConnectionEvent,
  type ConnectionState,
  type FilesetId,
  type PolicyRule,
  type Pulled,
  type Recno,
  type StateReader,
} from "@izo/core";

import { type KeptFile, REPLICA } from "../keep/keep-rules.ts";
import type { CacheExecutor } from "./cache-executor.ts";
import type { LocalReplica } from "./local-replica.ts";
import { LostLog, NotDivergedError, type SalvagePlan, ServerRestoredError } from "./lost-log.ts";
import { planPush, type PushPlan } from "./plan-push.ts";
import { type KeepPolicy, Prefetcher } from "./prefetcher.ts";
import { ContentLostError, type PushedPermits, Pusher } from "./pusher.ts";
import { QuietMoments } from "./quiet-moments.ts";
import { receiveTree } from "./receive-tree.ts";
import type { Remote } from "./remote.ts";
import { type HeldRemoval, RemovalHold } from "./removal-hold.ts";
import { Sealer } from "./sealer.ts";
import {
  connectionEventOf,
  describeError,
  ForcedOfflineError,
  ForeignServerError,
  isChangeRefused,
  RemovalHeldError,
  type SyncError,
} from "./sync-error.ts";
import type { SyncMode, SyncStatus } from "./sync-status.ts";
import { Waiters } from "./waiters.ts";
import { WakeUp } from "./wake-up.ts";

/**
 * A poll that finds nothing waits this long at the server. It bounds how long a client takes to notice
 * that its packets are dropped (docs/sync-state-machine.md, "A silent network").
 */
const POLL_WAIT_SECONDS = 10;

/** Records replayed in one transaction: about 50 ms during which no program is answered. */
const POLL_RECORDS = 1_000;

/** Contents for which there was no room are tried again this often. */
const PREFETCH_RETRY_MS = 30_000;

/** Records of one program that come close together go out together. */
const COALESCE_MS = 2;

export interface InterSyncOptions {
  readonly replica: LocalReplica;
  readonly remote: Remote;
  readonly cache: CacheExecutor;
  readonly fileset: FilesetId;
  readonly mode: SyncMode;
  /** What is fetched without being asked for, besides all of a replica. */
  readonly keep?: KeepPolicy;
  /** Names of the tree have changed. */
  readonly onNamesChanged?: () => void;
  /** What a push has to state. */
  readonly permits?: PushedPermits;
  readonly nowMs: () => number;
  readonly random: () => number;
  /** Offline by the user's wish from the start; see {@link InterSync.setForcedOffline}. */
  readonly isForcedOffline?: boolean;
  /** Once for each thing that goes wrong and for each change of state, for the log of the mount. */
  readonly onError?: (error: SyncError) => void;
  readonly onState?: (state: ConnectionState) => void;
}

export class InterSync implements AsyncDisposable {
  readonly #options: InterSyncOptions;
  readonly #pusher: Pusher;
  readonly #removals: RemovalHold;
  readonly #sealer: Sealer;
  readonly #prefetcher: Prefetcher;
  readonly #stop = new AbortController();
  readonly #waiters = new Waiters();
  /** Rung when there is something to send, or when it may be sent again. */
  readonly #pushBell = new WakeUp();
  /** Rung to end the wait before the next attempt to connect. */
  readonly #connectBell = new WakeUp();
  readonly #quiet = new QuietMoments();
  readonly #recorded: Disposable;
  readonly #lostLog: LostLog;
  /** Changes of the tree that the cache could not show yet; they come before anything newer. */
  readonly #unapplied: ChangeSet[] = [];
  #state: ConnectionState = CONNECTION_START;
  #sinceMs: number;
  #headRecno: Recno;
  /** When all that the server had was last replayed here; null for not since the start. */
  #caughtUpMs: number | null = null;
  #lastError: SyncError | null = null;
  #pushFailures = 0;
  /** By which the server judges; null before the first contact. */
  #policies: readonly PolicyRule[] | null = null;
  /** Steps in a row that failed on this machine, as on a full disk: the input of their backoff. */
  #localFailures = 0;
  /** Ends the requests that belong to the connection as it is. */
  #connection = new AbortController();
  /** Aborted while the server is lost: see {@link isServerLost}. */
  #lost = new AbortController();
  readonly #retrying: NodeJS.Timeout;
  readonly #loops: Promise<unknown>;

  constructor(options: InterSyncOptions) {
    const { replica, remote, cache, mode, nowMs, random } = options;
    this.#options = options;
    this.#sinceMs = nowMs();
    if (options.isForcedOffline === true) this.#state = nextState(this.#state, "forced-offline");
    this.#headRecno = replica.position.recno;
    const onProblem = (error: unknown): void => this.#note(error);
    this.#lostLog = new LostLog({ replica, remote, cache });
    const show = (changes: ChangeSet): void => this.#showSealed(changes);
    this.#sealer = new Sealer({ replica, cache, show, random, quiet: this.#quiet, onProblem });
    this.#removals = new RemovalHold(replica);
    this.#pusher = new Pusher({
      replica,
      removals: this.#removals,
      remote,
      cache,
      show,
      host: hostname(),
      permits: options.permits,
      onUploaded: () => this.#pushBell.ring(),
      onUploadFailed: (error) =>
        isChangeRefused(error) ? this.#failPush(error) : this.#fail(error),
    });
    const keep = options.keep ?? keepAllOf(mode);
    const visible: StateReader["object"] = (oid) => replica.visible.object(oid);
    this.#prefetcher = new Prefetcher({ remote, cache, keep, visible, onProblem });
    this.#recorded = replica.onRecorded((change) => {
      if (change.kind === "sealed") this.#pusher.noteSealed(change.sha256);
      else this.#quiet.note();
      this.#pushBell.ring();
    });
    this.#wantReplica();
    this.#retrying = setInterval(() => this.#retryPrefetch(), PREFETCH_RETRY_MS).unref();
    this.#loops = Promise.all([this.#runConnection(), this.#runPushes()]);
  }

  status(): SyncStatus {
    const { replica, mode } = this.#options;
    return {
      state: this.#state.name,
      isForcedOffline: this.#state.isForced,
      sinceMs: this.#sinceMs,
      mode,
      recno: replica.position.recno,
      headRecno: this.#headRecno,
      lagMs: this.#lagMs(),
      pending: replica.pendingCount,
      pendingBytes: replica.pendingBytes,
      isComplete: mode === "replica" && this.#prefetcher.isIdle,
      heldRemoval: this.#removals.held(),
      lastError: this.#lastError,
    };
  }

  /** Its user keeps it offline: no server is asked. */
  get isForcedOffline(): boolean {
    return this.#state.isForced;
  }

  /** Resolves when all own records made before the call are acknowledged. @throws the signal's reason */
  async flush(signal: AbortSignal): Promise<void> {
    const { replica } = this.#options;
    const { peer, ownHead } = replica;
    if (this.#state.isForced && replica.pendingCount > 0)
      throw new ForcedOfflineError(replica.pendingCount);
    this.#sealer.wake();
    this.retryNow();
    await this.#waiters.until(() => {
      this.#throwIfLogIsLost();
      if (replica.pendingCount === 0) return true;
      if (this.#removals.isAllThatWaits()) throw new RemovalHeldError(this.#removals.held()!);
      // Under another id the records have other numbers: then all of them are waited for.
      return replica.peer === peer && (replica.pending.oldestRecno ?? ownHead + 1) > ownHead;
    }, this.#until(signal));
  }

  /** What a push would do now, as far as is known here. Nothing is sent. */
  planPush(): PushPlan {
    const { replica } = this.#options;
    return planPush(replica, this.#removals, this.#policies);
  }

  /** Removals that wait for somebody's decision, or null. */
  heldRemoval(): HeldRemoval | null {
    return this.#removals.held();
  }

  /** Sends the removals that are held. @throws NothingHeldError */
  confirmRemoval(): HeldRemoval {
    const held = this.#removals.confirm();
    this.#pushBell.ring();
    return held;
  }

  /** Takes the removals that are held back: what they removed is there again. @throws NothingHeldError */
  dropRemoval(): HeldRemoval {
    const { held, recnos } = this.#removals.toDrop();
    this.#show(this.#options.replica.takeBack(recnos));
    this.#pushBell.ring();
    return held;
  }

  /** Resolves when the server's log was replayed up to a record. @throws the signal's reason */
  async waitFor(recno: Recno, signal: AbortSignal): Promise<void> {
    const { replica } = this.#options;
    await this.#waiters.until(() => {
      if (replica.position.recno >= recno && this.#unapplied.length === 0) return true;
      this.#throwIfLogIsLost();
      return false;
    }, this.#until(signal));
  }

  /** Resolves when there is a tree to show. @throws the signal's reason */
  async waitForTree(signal: AbortSignal): Promise<void> {
    await this.#waiters.until(() => this.#options.replica.hasTree, this.#until(signal));
  }

  /** What `izo salvage` would bring back. @throws NotDivergedError; what the remote throws */
  async planSalvage(signal: AbortSignal): Promise<SalvagePlan> {
    if (this.#state.divergence !== "log") throw new NotDivergedError(this.#state.name);
    return this.#lostLog.plan(this.#until(signal));
  }

  /** Brings back what the server has lost; resolves when that waits to be pushed. @throws NotDivergedError */
  async salvage(signal: AbortSignal): Promise<void> {
    if (this.#state.divergence !== "log") throw new NotDivergedError(this.#state.name);
    this.#lostLog.decide();
    await this.#waiters.until(() => this.#lostLog.isUndecided, this.#until(signal));
  }

  /** Resolves when the server was asked once, with whatever answer, or shall not be. @throws the signal's reason */
  async waitForContact(signal: AbortSignal): Promise<void> {
    await this.#waiters.until(() => {
      const { name, failures, isForced } = this.#state;
      return name !== "offline" || failures > 0 || isForced;
    }, this.#until(signal));
  }

  /**
   * The server did not answer twice in a row, or shall not be asked: who needs it now is better told so
   * than kept waiting.
   */
  get isServerLost(): boolean {
    const { name, failures, isForced } = this.#state;
    return name === "offline" && (failures > 1 || isForced);
  }

  /** Aborted as soon as {@link isServerLost}; another one when the server is back. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Cuts the connection and makes none, or lets it be made again, at once. */
  setForcedOffline(isForced: boolean): void {
    this.#happen(isForced ? "forced-offline" : "released");
    if (isForced) this.#lastError = null;
    this.retryNow();
  }

  /** Ends the wait before the next attempt: the network may be back. */
  retryNow(): void {
    this.#connectBell.ring();
    this.#pushBell.ring();
    this.#lostLog.askAgain();
  }

  /** Fetches these contents in the background, those of the highest rank first. */
  wantContents(files: Iterable<KeptFile>): void {
    for (const { object, rank } of files) this.#prefetcher.want(object, rank);
    this.#prefetcher.retryBlocked();
    this.#prefetch();
  }

  /** Other contents are to be kept, or there is more room: begins anew, with all of a replica. */
  forgetWanted(): void {
    this.#prefetcher.clear();
    this.#wantReplica();
    this.#prefetch();
  }

  /** A file has lost its last writer: its CLOSE can be sealed. */
  noteIdleFile(): void {
    this.#sealer.wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the mount is going away"));
    this.#connection.abort(this.#stop.signal.reason);
    this.#recorded[Symbol.dispose]();
    clearInterval(this.#retrying);
    await this.#loops;
    await this.#pusher.settle();
    await this.#prefetcher.run(this.#stop.signal);
    await this.#sealer[Symbol.asyncDispose]();
  }

  /** Does what the state of the connection says, until the end. */
  async #runConnection(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const { signal } = this.#connection;
      try {
        // oxlint-disable-next-line no-await-in-loop -- one step after another is what a loop is for
        await this.#step(signal);
      } catch (error) {
        // What was aborted with the connection ended because somebody else saw it end.
        if (!signal.aborted) this.#fail(error);
      }
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    if (this.#localFailures > 0) {
      const delayMs = retryDelayMs(this.#localFailures, this.#options.random());
      await this.#connectBell.wait(signal, delayMs);
      signal.throwIfAborted();
    }
    this.#showUnapplied();
    switch (this.#state.name) {
      case "offline":
      case "refused":
        return this.#connect(signal);
      case "bootstrapping":
      case "expired":
        return this.#bootstrap(signal);
      case "polling":
      case "pushing":
        return this.#poll(signal);
      case "diverged":
        return this.#state.divergence === "log" ? this.#settleLostLog(signal) : this.#renew(signal);
    }
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const { replica, remote, fileset, random } = this.#options;
    const { failures, isForced } = this.#state;
    if (isForced) return this.#connectBell.wait(signal);
    if (failures > 0) await this.#connectBell.wait(signal, retryDelayMs(failures, random()));
    signal.throwIfAborted();
    const profile = await remote.profile(signal);
    if (profile.id !== fileset) throw new ForeignServerError(profile.id, fileset);
    this.#headRecno = profile.head.recno;
    this.#policies = profile.conflictPolicies;
    replica.forgetReceived();
    this.#happen(replica.hasTree ? "connected" : "connected-empty");
    this.#prefetch();
  }

  async #bootstrap(signal: AbortSignal): Promise<void> {
    const { replica, remote } = this.#options;
    using database = replica.receiveTree();
    const start = await receiveTree(remote.snapshot(replica.peer, signal), database, signal);
    const { changes, isDiverged } = replica.adoptTree({ database, start });
    this.#wantReplica();
    this.#show(changes);
    this.#happen("tree-adopted");
    if (isDiverged) this.#happen("peer-diverged");
    this.#prefetch();
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const { replica, remote } = this.#options;
    const waitSeconds = this.#state.isCaughtUp ? POLL_WAIT_SECONDS : 0;
    const options = { waitSeconds, limitRecords: POLL_RECORDS, peer: replica.peer };
    const { records, last, head } = await remote.poll(replica.position, options, signal);
    this.#headRecno = head.recno;
    const isAtHead = last.recno >= head.recno;
    if (records.length > 0) {
      await this.#quiet.wait(signal);
      signal.throwIfAborted();
      this.#take(replica.applyRemote(records, last));
    }
    this.#happen(isAtHead ? "caught-up" : "pulled");
  }

  #take({ changes, isDiverged }: Pulled): void {
    this.#show(changes);
    if (isDiverged) this.#happen("peer-diverged");
    this.#prefetch();
    this.#options.replica.truncateLog().catch((error: unknown) => this.#note(error));
  }

  /** The server was restored from a backup: what only this client has is brought back, once that is wanted. */
  async #settleLostLog(signal: AbortSignal): Promise<void> {
    const changes = await this.#lostLog.settle(signal);
    if (changes !== null) {
      this.#wantReplica();
      this.#show(changes);
    }
    this.#happen("recovered");
  }

  /** Another client uses this one's id: what waits goes on under a new one. */
  async #renew(signal: AbortSignal): Promise<void> {
    const { replica, remote } = this.#options;
    // To the head first: what the server took under the old id is known then, and not sent again.
    for (let isBehind = true; isBehind;) {
      const options = { waitSeconds: 0, limitRecords: POLL_RECORDS };
      // oxlint-disable-next-line no-await-in-loop -- each poll goes on from the one before
      const { records, last, head } = await remote.poll(replica.position, options, signal);
      this.#headRecno = head.recno;
      if (records.length > 0) this.#take(replica.applyRemote(records, last));
      isBehind = last.recno < head.recno;
    }
    await replica.renewIdentity();
    this.#happen("recovered");
  }

  /** Sends what there is to send, whenever that is allowed, until the end. */
  async #runPushes(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const delayMs =
        this.#pushFailures > 0
          ? retryDelayMs(this.#pushFailures, this.#options.random())
          : undefined;
      // oxlint-disable-next-line no-await-in-loop -- the bell is what the loop waits for
      await this.#pushBell.wait(signal, delayMs);
      if (!mayPush(this.#state) || signal.aborted) continue;
      // oxlint-disable-next-line no-await-in-loop
      await delay(COALESCE_MS);
      // oxlint-disable-next-line no-await-in-loop -- one push at a time: its reply decides the next
      await this.#pushAll(this.#connection.signal);
    }
  }

  async #pushAll(signal: AbortSignal): Promise<void> {
    let hasBegun = false;
    const begin = (): void => {
      if (!hasBegun) this.#happen("push-began");
      hasBegun = true;
    };
    try {
      // oxlint-disable-next-line no-await-in-loop -- one push at a time: its reply decides the next
      while (mayPush(this.#state) && (await this.#pushQuietly(signal, begin)))
        this.#pushFailures = 0;
      if (hasBegun) this.#happen("push-ended");
    } catch (error) {
      if (!signal.aborted) this.#failPush(error);
    }
    this.#waiters.check();
  }

  async #pushQuietly(signal: AbortSignal, begin: () => void): Promise<boolean> {
    await this.#quiet.wait(signal);
    signal.throwIfAborted();
    return this.#pusher.push(signal, begin);
  }

  /** What stops a push alone is tried again later; polling goes on. */
  #failPush(error: unknown): void {
    if (error instanceof ContentLostError) {
      this.#note(error);
      this.#happen("peer-diverged");
      return;
    }
    const event = connectionEventOf(error);
    if (event !== undefined && event !== "refused") {
      this.#fail(error);
      return;
    }
    this.#pushFailures += 1;
    this.#note(error);
    this.#happen("push-ended");
  }

  /** Something ended a step: the state machine says what that means, unless it is this machine's fault. */
  #fail(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    const event = error instanceof ForeignServerError ? "refused" : connectionEventOf(error);
    if (event === undefined) {
      this.#failHere(error);
      return;
    }
    this.#note(error);
    this.#happen(event);
  }

  /** The connection is as it was; the same step is tried again, with patience (Y11). */
  #failHere(error: unknown): void {
    this.#localFailures += 1;
    this.#note(error);
  }

  #happen(event: ConnectionEvent): void {
    const before = this.#state;
    const wasCurrent = this.#isCurrent;
    this.#state = nextState(before, event);
    if (wasCurrent || event === "caught-up") this.#caughtUpMs = this.#options.nowMs();
    const { name } = this.#state;
    if (name !== before.name) {
      this.#sinceMs = this.#options.nowMs();
      this.#options.onState?.(this.#state);
    }
    const isFlowing = name === "polling" || name === "pushing";
    const wasFlowing = before.name === "polling" || before.name === "pushing";
    const isCut = event === "unreachable" || event === "forced-offline";
    if ((wasFlowing && !isFlowing) || isCut) {
      this.#connection.abort(new Error(`the connection is ${name}`));
      this.#connection = new AbortController();
      if (this.#stop.signal.aborted) this.#connection.abort(this.#stop.signal.reason);
    }
    this.#noteLoss();
    if (event === "caught-up" || event === "tree-adopted") this.#endLocalFailures();
    if (mayPush(this.#state) && !mayPush(before)) this.#pushBell.ring();
    this.#waiters.check();
  }

  /** While a poll waits, the server says by its silence that there is nothing more. */
  get #isCurrent(): boolean {
    return this.#state.isCaughtUp && this.#options.replica.position.recno >= this.#headRecno;
  }

  #lagMs(): number | null {
    if (this.#isCurrent) return 0;
    return this.#caughtUpMs === null ? null : this.#options.nowMs() - this.#caughtUpMs;
  }

  #noteLoss(): void {
    const isNoted = this.#lost.signal.aborted;
    if (this.isServerLost && !isNoted) this.#lost.abort(new Error("the server is lost"));
    else if (!this.isServerLost && isNoted) this.#lost = new AbortController();
  }

  #note(error: unknown): void {
    this.#lastError = describeError(error, this.#options.nowMs());
    this.#options.onError?.(this.#lastError);
  }

  /**
   * What is about the connection is over when records arrive; what is about pushing when a push worked;
   * what is about the cache when all that arrived is shown.
   */
  #endLocalFailures(): void {
    if (this.#unapplied.length > 0) return;
    this.#localFailures = 0;
    if (this.#pushFailures === 0) this.#lastError = null;
  }

  #show(changes: ChangeSet): void {
    if (changes.names.length > 0) this.#options.onNamesChanged?.();
    this.#unapplied.push(changes);
    try {
      this.#showUnapplied();
    } catch (error) {
      // The tree itself has arrived: only its showing is tried again, before anything else is done.
      this.#failHere(error);
    }
    this.#prefetcher.wantChanged(changes);
    this.#waiters.check();
  }

  /** Hardly any sealing changes more than the file that it is about. */
  #showSealed(changes: ChangeSet): void {
    const { names, objects, moves } = changes;
    if (names.length + objects.length + moves.length === 0) return;
    this.#show(changes);
    this.#prefetch();
  }

  /** A change that the cache cannot take, as on a full disk, stays first in the queue. */
  #showUnapplied(): void {
    if (this.#unapplied.length === 0) return;
    for (let changes = this.#unapplied[0]; changes !== undefined; changes = this.#unapplied[0]) {
      this.#options.cache.apply(changes);
      this.#unapplied.shift();
    }
    this.#endLocalFailures();
    this.#waiters.check();
  }

  /** Who waits for this server would wait for ever: a person has to decide first. */
  #throwIfLogIsLost(): void {
    if (this.#state.divergence !== "log" || !this.#lostLog.isUndecided) return;
    throw new ServerRestoredError(this.#options.replica.position.recno);
  }

  #retryPrefetch(): void {
    this.#prefetcher.retryBlocked();
    this.#prefetch();
  }

  #wantReplica(): void {
    const { replica, mode } = this.#options;
    if (mode !== "replica" || !replica.hasTree) return;
    for (const object of replica.authoritative.files()) this.#prefetcher.want(object, REPLICA);
  }

  #prefetch(): void {
    if (this.#state.name !== "offline") void this.#prefetcher.run(this.#connection.signal);
  }

  #until(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#stop.signal]);
  }
}

/** A replica keeps everything, whatever room it takes; a mount on demand nothing. */
function keepAllOf(mode: SyncMode): KeepPolicy {
  return {
    rankOf: () => (mode === "replica" ? REPLICA : undefined),
    makeRoomFor: () => Promise.resolve(true),
  };
}
