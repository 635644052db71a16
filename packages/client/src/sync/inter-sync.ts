/**
 * InterSync: keeps one client and its server together (design C5). It polls the server's log and
 * replays it, and pushes the own log, both at the same time; the connection's state machine in
 * `@izo/core` says what to do next. The mount starts it and disposes of it.
 *
 * It holds nothing that a crash could lose: what it has replayed and what it has to send are in the
 * `LocalReplica`. The worst outcome of an error here is to stand still, and the status says why.
 */

import { hostname } from "node:os";

import {
  type ChangeSet,
  type ConnectionEvent,
  type ConnectionState,
  type FilesetId,
  MAX_INLINE_BYTES,
  mayPush,
  type PendingRecord,
  type Recno,
  type StateReader,
} from "@izo/core";

import { type KeptFile, REPLICA } from "../keep/keep-rules.ts";
import type { CacheExecutor } from "./cache-executor.ts";
import { ChangeQueue } from "./change-queue.ts";
import { Connection } from "./connection.ts";
import { Lag } from "./lag.ts";
import type { LocalReplica } from "./local-replica.ts";
import { LostLog, NotDivergedError, type SalvagePlan, ServerRestoredError } from "./lost-log.ts";
import { planPush, type PushPlan } from "./plan-push.ts";
import { type KeepPolicy, Prefetcher } from "./prefetcher.ts";
import { PullLoop } from "./pull-loop.ts";
import { PushLoop } from "./push-loop.ts";
import { type PushedPermits, Pusher } from "./pusher.ts";
import { QuietMoments } from "./quiet-moments.ts";
import type { Remote } from "./remote.ts";
import { type HeldRemoval, RemovalHold } from "./removal-hold.ts";
import { type MountScope, ScopeHold, wholeScope } from "./scope-hold.ts";
import { Sealer } from "./sealer.ts";
import {
  describeError,
  ForcedOfflineError,
  isChangeRefused,
  RemovalHeldError,
  type SyncError,
} from "./sync-error.ts";
import type { SyncMode, SyncStatus } from "./sync-status.ts";
import { Troubles } from "./troubles.ts";
import { Waiters } from "./waiters.ts";

/** Contents for which there was no room are tried again this often. */
const PREFETCH_RETRY_MS = 30_000;

/**
 * On demand, too, a content that is hardly larger than its record comes along with it: to send it costs the
 * server less than to be asked for it.
 */
const FOLLOWED_BYTES = 4096;

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
  /** What this mount may change; anything where nobody keeps it. */
  readonly scope?: MountScope;
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
  readonly #stop = new AbortController();
  readonly #waiters = new Waiters();
  readonly #quiet = new QuietMoments();
  readonly #connection: Connection;
  readonly #lag: Lag;
  readonly #troubles: Troubles;
  readonly #toShow: ChangeQueue;
  readonly #removals: RemovalHold;
  readonly #scope: ScopeHold;
  readonly #lostLog: LostLog;
  readonly #sealer: Sealer;
  readonly #prefetcher: Prefetcher;
  readonly #pusher: Pusher;
  readonly #pushes: PushLoop;
  readonly #pulls: PullLoop;
  readonly #recorded: Disposable;
  readonly #retrying: NodeJS.Timeout;
  readonly #loops: Promise<unknown>;

  constructor(options: InterSyncOptions) {
    const { replica, remote, cache, mode, fileset, nowMs, random } = options;
    this.#options = options;
    const connection = new Connection({
      nowMs,
      isForcedOffline: options.isForcedOffline === true,
      stop: this.#stop.signal,
      onEvent: (event, before) => this.#noteEvent(event, before),
    });
    const troubles = new Troubles(nowMs, (error) => options.onError?.(error));
    const quiet = this.#quiet;
    const onProblem = (error: unknown): void => troubles.note(error);
    this.#connection = connection;
    this.#troubles = troubles;
    this.#lag = new Lag({
      nowMs,
      replayed: () => replica.position,
      connection: () => connection.state,
    });
    this.#toShow = new ChangeQueue((changes) => cache.apply(changes));
    this.#lostLog = new LostLog({ replica, remote, cache });
    const showSealed = (changes: ChangeSet): void => this.#showSealed(changes);
    this.#sealer = new Sealer({ replica, cache, show: showSealed, random, quiet, onProblem });
    this.#removals = new RemovalHold(replica);
    this.#scope = new ScopeHold(replica, options.scope ?? wholeScope());
    this.#pusher = new Pusher({
      replica,
      removals: this.#removals,
      scope: this.#scope,
      remote,
      cache,
      show: showSealed,
      host: hostname(),
      permits: options.permits,
      onUploaded: () => this.#pushes.wake(),
      onUploadFailed: (error) =>
        isChangeRefused(error) ? this.#pushes.fail(error) : this.#failConnection(error),
    });
    const keep = options.keep ?? keepAllOf(mode);
    const visible: StateReader["object"] = (oid) => replica.visible.object(oid);
    this.#prefetcher = new Prefetcher({ remote, cache, keep, visible, onProblem });
    this.#pushes = new PushLoop({
      pusher: this.#pusher,
      connection,
      troubles,
      quiet,
      sealed: () => this.#sealer.settled(),
      random,
      isSentOutOfScope: () => this.#scope.isSentOutside(),
      onConnectionFailed: (error) => this.#failConnection(error),
      onRound: () => this.#waiters.check(),
    });
    this.#pulls = new PullLoop({
      replica,
      remote,
      fileset,
      connection,
      lag: this.#lag,
      troubles,
      lostLog: this.#lostLog,
      quiet,
      random,
      contentsUpTo: mode === "replica" ? MAX_INLINE_BYTES : FOLLOWED_BYTES,
      showWaiting: () => this.#showWaiting(),
      show: (changes) => this.#show(changes),
      onNewTree: () => this.#wantReplica(),
      onScope: (changesBelow) => this.#learnScope(changesBelow),
      onContents: () => this.#prefetch(),
    });
    this.#recorded = replica.onRecorded((change) => {
      if (change.kind === "sealed") this.#pusher.noteSealed(change.sha256);
      else quiet.note();
      this.#pushes.wake();
    });
    this.#wantReplica();
    this.#retrying = setInterval(() => this.#retryPrefetch(), PREFETCH_RETRY_MS).unref();
    const { signal } = this.#stop;
    this.#loops = Promise.all([this.#pulls.run(signal), this.#pushes.run(signal)]);
  }

  status(): SyncStatus {
    const { replica, mode } = this.#options;
    const { state, sinceMs } = this.#connection;
    return {
      state: state.name,
      isForcedOffline: state.isForced,
      sinceMs,
      mode,
      recno: replica.position.recno,
      headRecno: this.#lag.headRecno,
      lagMs: this.#lag.ms,
      pending: replica.pendingCount,
      pendingBytes: replica.pendingBytes,
      isComplete: mode === "replica" && this.#prefetcher.isIdle,
      heldRemoval: this.#removals.held(),
      changesBelow: this.#scope.changesBelow,
      lastError: this.#troubles.last ?? this.#scopeTrouble(),
    };
  }

  /** Its user keeps it offline: no server is asked. */
  get isForcedOffline(): boolean {
    return this.#connection.state.isForced;
  }

  /** As {@link Connection.isServerLost}. */
  get isServerLost(): boolean {
    return this.#connection.isServerLost;
  }

  /** As {@link Connection.lost}. */
  get lost(): AbortSignal {
    return this.#connection.lost;
  }

  /** Resolves when all own records made before the call are acknowledged. @throws the signal's reason */
  async flush(signal: AbortSignal): Promise<void> {
    const { replica } = this.#options;
    const { peer, ownHead } = replica;
    if (this.isForcedOffline && replica.pendingCount > 0)
      throw new ForcedOfflineError(replica.pendingCount);
    this.#sealer.wake();
    const { asked } = this.#scope;
    if (this.#scope.changesBelow === "/") this.retryNow();
    else this.noteCredentials();
    await this.#waiters.until(() => {
      this.#throwIfLogIsLost();
      if (replica.pendingCount === 0) return true;
      // Something goes out, and all that waits is looked through for an answer: asked again when it is done.
      const isPushing = this.#connection.state.name === "pushing";
      if (!isPushing && this.#removals.isAllThatWaits())
        throw new RemovalHeldError(this.#removals.held()!);
      // What the server said before the call may be otherwise by now.
      if (this.#scope.asked > asked && this.#scope.isAllThatWaits()) throw this.#scope.problem()!;
      // Under another id the records have other numbers: then all of them are waited for.
      return replica.peer === peer && (replica.pending.oldestRecno ?? ownHead + 1) > ownHead;
    }, this.#until(signal));
  }

  /** What a push would do now, as far as is known here. Nothing is sent. */
  planPush(): PushPlan {
    const isRemovalHeld = this.#removals.waits();
    const isOutOfScope = this.#scope.waits();
    const waits = (record: PendingRecord): boolean => isRemovalHeld(record) || isOutOfScope(record);
    return planPush(this.#options.replica, waits, this.#pulls.policies);
  }

  /** Removals that wait for somebody's decision, or null. */
  heldRemoval(): HeldRemoval | null {
    return this.#removals.held();
  }

  /** Sends the removals that are held. @throws NothingHeldError */
  confirmRemoval(): HeldRemoval {
    const held = this.#removals.confirm();
    this.#pushes.wake();
    return held;
  }

  /** Takes the removals that are held back: what they removed is there again. @throws NothingHeldError */
  dropRemoval(): HeldRemoval {
    const { held, recnos } = this.#removals.toDrop();
    this.#show(this.#options.replica.takeBack(recnos));
    this.#pushes.wake();
    return held;
  }

  /** Resolves when the server's log was replayed up to a record. @throws the signal's reason */
  async waitFor(recno: Recno, signal: AbortSignal): Promise<void> {
    const { replica } = this.#options;
    await this.#waiters.until(() => {
      if (replica.position.recno >= recno && this.#toShow.isEmpty) return true;
      this.#throwIfLogIsLost();
      return false;
    }, this.#until(signal));
  }

  /** Resolves when there is a tree to show. @throws the signal's reason */
  async waitForTree(signal: AbortSignal): Promise<void> {
    await this.#waiters.until(() => this.#options.replica.hasTree, this.#until(signal));
  }

  /** Resolves when the server was asked once, with whatever answer, or shall not be. @throws the signal's reason */
  async waitForContact(signal: AbortSignal): Promise<void> {
    await this.#waiters.until(() => {
      const { name, failures, isForced } = this.#connection.state;
      return name !== "offline" || failures > 0 || isForced;
    }, this.#until(signal));
  }

  /** What `izo salvage` would bring back. @throws NotDivergedError; what the remote throws */
  async planSalvage(signal: AbortSignal): Promise<SalvagePlan> {
    this.#requireLostLog();
    return this.#lostLog.plan(this.#until(signal));
  }

  /** Brings back what the server has lost; resolves when that waits to be pushed. @throws NotDivergedError */
  async salvage(signal: AbortSignal): Promise<void> {
    this.#requireLostLog();
    this.#lostLog.decide();
    await this.#waiters.until(() => this.#lostLog.isUndecided, this.#until(signal));
  }

  /** Cuts the connection and makes none, or lets it be made again, at once. */
  setForcedOffline(isForced: boolean): void {
    this.#connection.happen(isForced ? "forced-offline" : "released");
    if (isForced) this.#troubles.forget();
    this.retryNow();
  }

  /** Ends the wait before the next attempt: the network may be back. */
  retryNow(): void {
    this.#pulls.wake();
    this.#pushes.wake();
    this.#lostLog.askAgain();
  }

  /** Who shows another token is somebody else to the server, and may change more or less. */
  noteCredentials(): void {
    this.retryNow();
    this.#pulls.askAgain();
  }

  /** Fetches these contents in the background, those of the highest rank first. */
  wantContents(files: Iterable<KeptFile>): void {
    for (const { object, rank } of files) this.#prefetcher.want(object, rank);
    this.#retryPrefetch();
  }

  /** Other contents are to be kept, or there is more room: begins anew, with all of a replica. */
  forgetWanted(): void {
    this.#prefetcher.clear();
    this.#wantReplica();
    this.#prefetch();
  }

  /** As {@link QuietMoments.noteAnswered}. */
  noteAnswered(durationMs: number): void {
    this.#quiet.noteAnswered(durationMs);
  }

  /** A file has lost its last writer: its CLOSE can be sealed. */
  noteIdleFile(): void {
    this.#sealer.noteIdleFile();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the mount is going away"));
    this.#connection.end(this.#stop.signal.reason);
    this.#recorded[Symbol.dispose]();
    clearInterval(this.#retrying);
    await this.#loops;
    await this.#pusher.settle();
    await this.#prefetcher.run(this.#stop.signal);
    await this.#sealer[Symbol.asyncDispose]();
  }

  #noteEvent(event: ConnectionEvent, before: ConnectionState): void {
    const { state } = this.#connection;
    this.#lag.noteEvent(event, before);
    if (state.name !== before.name) this.#options.onState?.(state);
    if (event === "caught-up" || event === "tree-adopted") this.#endTroubles();
    if (mayPush(state) && !mayPush(before)) this.#pushes.wake();
    this.#waiters.check();
  }

  #learnScope(changesBelow: string | null): void {
    this.#scope.learn(changesBelow);
    this.#pushes.wake();
    this.#waiters.check();
  }

  /** Nothing has failed: it is known beforehand that what waits would. */
  #scopeTrouble(): SyncError | null {
    const problem = this.#scope.problem();
    return problem === null ? null : describeError(problem, this.#connection.sinceMs);
  }

  #failConnection(error: unknown): void {
    if (!this.#stop.signal.aborted) this.#pulls.fail(error);
  }

  #show(changes: ChangeSet): void {
    if (changes.names.length > 0) this.#options.onNamesChanged?.();
    this.#toShow.add(changes);
    try {
      this.#showWaiting();
    } catch (error) {
      // The tree itself has arrived: only its showing is tried again, before anything else is done.
      this.#troubles.noteInStep(error);
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

  #showWaiting(): void {
    if (this.#toShow.isEmpty) return;
    this.#toShow.showAll();
    this.#endTroubles();
    this.#waiters.check();
  }

  /** What is about the cache is over when all that arrived is shown. */
  #endTroubles(): void {
    if (this.#toShow.isEmpty) this.#troubles.endInSteps();
  }

  #requireLostLog(): void {
    const { name, divergence } = this.#connection.state;
    if (divergence !== "log") throw new NotDivergedError(name);
  }

  /** Who waits for this server would wait for ever: a person has to decide first. */
  #throwIfLogIsLost(): void {
    if (this.#connection.state.divergence !== "log" || !this.#lostLog.isUndecided) return;
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
    const { state, signal } = this.#connection;
    if (state.name !== "offline") void this.#prefetcher.run(signal);
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
