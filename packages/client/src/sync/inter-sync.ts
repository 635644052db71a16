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
  type FilesetProfile,
  MAX_INLINE_BYTES,
  mayPush,
  type PendingRecord,
  type Recno,
} from "@izo/core";

import type { KeptFile } from "../keep/keep-rules.ts";
import type { CacheExecutor } from "./cache-executor.ts";
import { Connection } from "./connection.ts";
import { type HeldRemoval, RemovalHold } from "./hold/removal-hold.ts";
import { type MountScope, ScopeHold, wholeScope } from "./hold/scope-hold.ts";
import { ContentWishes } from "./prefetch/content-wishes.ts";
import type { KeepPolicy } from "./prefetch/prefetcher.ts";
import { Lag } from "./pull/lag.ts";
import { LostLog, NotDivergedError, type SalvagePlan } from "./pull/lost-log.ts";
import { PullLoop } from "./pull/pull-loop.ts";
import { planPush, type PushPlan } from "./push/plan-push.ts";
import { PushLoop } from "./push/push-loop.ts";
import { type PushWait, pushWait } from "./push/push-waits.ts";
import { type PushedPermits, Pusher } from "./push/pusher.ts";
import { throttleMs } from "./push/throttle.ts";
import { QuietMoments } from "./quiet-moments.ts";
import type { Remote } from "./remote.ts";
import type { LocalReplica } from "./replica/local-replica.ts";
import { Sealer } from "./seal/sealer.ts";
import { Showing } from "./showing.ts";
import { describeError, isChangeRefused, type SyncError } from "./sync-error.ts";
import type { SyncMode, SyncStatus } from "./sync-status.ts";
import { SyncWaits } from "./sync-waits.ts";
import { Troubles } from "./troubles.ts";

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
  readonly #quiet = new QuietMoments();
  readonly #connection: Connection;
  readonly #lag: Lag;
  readonly #troubles: Troubles;
  readonly #waits: SyncWaits;
  readonly #wishes: ContentWishes;
  readonly #showing: Showing;
  readonly #removals: RemovalHold;
  readonly #scope: ScopeHold;
  readonly #lostLog: LostLog;
  readonly #sealer: Sealer;
  readonly #pusher: Pusher;
  readonly #pushes: PushLoop;
  readonly #pulls: PullLoop;
  readonly #recorded: Disposable;
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
    this.#lostLog = new LostLog({ replica, remote, cache });
    const { signal: stop } = this.#stop;
    this.#waits = new SyncWaits({ replica, connection, lostLog: this.#lostLog, stop });
    const { keep } = options;
    this.#wishes = new ContentWishes({ replica, remote, cache, mode, connection, keep, onProblem });
    this.#showing = new Showing({
      cache,
      wishes: this.#wishes,
      troubles,
      onNamesChanged: () => options.onNamesChanged?.(),
      onShown: () => this.#waits.check(),
    });
    const showSealed = (changes: ChangeSet): void => this.#showing.showSealed(changes);
    this.#sealer = new Sealer({ replica, cache, show: showSealed, random, quiet, onProblem });
    this.#removals = new RemovalHold(replica, nowMs);
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
    this.#pushes = new PushLoop({
      pusher: this.#pusher,
      connection,
      troubles,
      quiet,
      sealed: () => this.#sealer.settled(),
      random,
      isSentOutOfScope: () => this.#scope.isSentOutside(),
      onConnectionFailed: (error) => this.#failConnection(error),
      onRound: () => this.#waits.check(),
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
      showWaiting: () => this.#showing.showWaiting(),
      show: (changes) => this.#showing.show(changes),
      onNewTree: () => this.#wishes.wantReplica(),
      onProfile: (profile) => this.#learn(profile),
      onContents: () => this.#wishes.fetch(),
    });
    this.#recorded = replica.onRecorded((change) => {
      if (change.kind === "sealed") this.#pusher.noteSealed(change.sha256);
      else quiet.note(change.opcode === "CREATE");
      this.#pushes.noteRecorded();
    });
    this.#loops = Promise.all([this.#pulls.run(stop), this.#pushes.run(stop)]);
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
      waitsFor: this.#waitsFor(),
      isComplete: this.#wishes.isComplete,
      heldRemoval: this.#removals.held(),
      changesBelow: this.#scope.changesBelow,
      lastError: this.#troubles.last ?? this.#scopeTrouble(),
    };
  }

  /** Its user keeps it offline: no server is asked. */
  get isForcedOffline(): boolean {
    return this.#connection.state.isForced;
  }

  /** As {@link ContentWishes.isFetching}. */
  get isFetching(): boolean {
    return this.#wishes.isFetching;
  }

  /** As {@link Connection.isServerLost}. */
  get isServerLost(): boolean {
    return this.#connection.isServerLost;
  }

  /** As {@link Connection.lost}. */
  get lost(): AbortSignal {
    return this.#connection.lost;
  }

  /** As {@link SyncWaits.flush}. */
  flush(signal: AbortSignal): Promise<void> {
    const askServer = (): void => {
      if (this.#scope.changesBelow === "/") this.retryNow();
      else this.noteCredentials();
    };
    const parts = { sealer: this.#sealer, removals: this.#removals, scope: this.#scope, askServer };
    return this.#waits.flush(parts, signal);
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
    this.#showing.show(this.#options.replica.takeBack(recnos));
    this.#pushes.wake();
    return held;
  }

  /** As {@link SyncWaits.forRecord}. */
  waitFor(recno: Recno, signal: AbortSignal): Promise<void> {
    return this.#waits.forRecord(recno, this.#showing, signal);
  }

  /** As {@link SyncWaits.forTree}. */
  waitForTree(signal: AbortSignal): Promise<void> {
    return this.#waits.forTree(signal);
  }

  /** As {@link SyncWaits.forContact}. */
  waitForContact(signal: AbortSignal): Promise<void> {
    return this.#waits.forContact(signal);
  }

  /** What `izo salvage` would bring back. @throws NotDivergedError; what the remote throws */
  async planSalvage(signal: AbortSignal): Promise<SalvagePlan> {
    this.#requireLostLog();
    return this.#lostLog.plan(this.#waits.orStopped(signal));
  }

  /** Brings back what the server has lost; resolves when that waits to be pushed. @throws NotDivergedError */
  async salvage(signal: AbortSignal): Promise<void> {
    this.#requireLostLog();
    this.#lostLog.decide();
    await this.#waits.until(() => this.#lostLog.isUndecided, signal);
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

  /** As {@link ContentWishes.want}. */
  wantContents(files: Iterable<KeptFile>): void {
    this.#wishes.want(files);
  }

  /** As {@link ContentWishes.beginAnew}. */
  forgetWanted(): void {
    this.#wishes.beginAnew();
  }

  /**
   * As {@link QuietMoments.noteAnswered}; says for how long they are to wait for their next answer ({@link throttleMs}).
   * They do not while nothing can be sent: it would be no quicker for that.
   */
  noteAnswered(durationMs: number): number {
    this.#quiet.noteAnswered(durationMs);
    return this.throttleMs;
  }

  get throttleMs(): number {
    const isSending = this.#connection.state.name === "pushing";
    return isSending ? throttleMs(this.#options.replica.pendingCount) : 0;
  }

  /** A file has lost its last writer: its CLOSE can be sealed. */
  noteIdleFile(): void {
    this.#sealer.wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the mount is going away"));
    this.#connection.end(this.#stop.signal.reason);
    this.#recorded[Symbol.dispose]();
    await this.#loops;
    await this.#pusher.settle();
    await this.#wishes[Symbol.asyncDispose]();
    await this.#sealer[Symbol.asyncDispose]();
  }

  #noteEvent(event: ConnectionEvent, before: ConnectionState): void {
    const { state } = this.#connection;
    this.#lag.noteEvent(event, before);
    if (state.name !== before.name) this.#options.onState?.(state);
    if (event === "caught-up" || event === "tree-adopted") this.#showing.endTroubles();
    if (mayPush(state) && !mayPush(before)) this.#pushes.wake();
    this.#waits.check();
  }

  #learn({ changesBelow, heldRemovalPercent }: FilesetProfile): void {
    this.#scope.learn(changesBelow);
    this.#removals.learn(heldRemovalPercent);
    this.#pushes.wake();
    this.#waits.check();
  }

  /** What holds up all that waits comes first; what was left where it was, and why, its own part says. */
  #waitsFor(): PushWait[] {
    const { pending } = this.#options.replica;
    const { first } = pending;
    if (first === undefined) return [];
    const { state } = this.#connection;
    const last = this.#troubles.last;
    const message = last?.message ?? null;
    if (state.isForced) return [pushWait("forced-offline", first)];
    if (state.name === "offline" || state.name === "refused" || state.name === "diverged")
      return [
        pushWait("no-connection", first, { message, retryAtMs: this.#at(this.#pulls.retryInMs) }),
      ];
    if (!this.#connection.mayPush) return [pushWait("connected", first)];
    const hasFailed = this.#troubles.inPushes > 0;
    const retryAtMs = this.#at(this.#pushes.retryInMs);
    const sent = pending.firstFrozen;
    const behind = [...this.#pusher.waits(), ...this.#sealer.waits()];
    if (hasFailed) return [pushWait("push-failed", first, { message, retryAtMs }), ...behind];
    return sent === undefined ? behind : [pushWait("sent", sent), ...behind];
  }

  #at(inMs: number | null): number | null {
    return inMs === null ? null : Math.round(this.#options.nowMs() + inMs);
  }

  /** Nothing has failed: it is known beforehand that what waits would. */
  #scopeTrouble(): SyncError | null {
    const problem = this.#scope.problem();
    return problem === null ? null : describeError(problem, this.#connection.sinceMs);
  }

  #failConnection(error: unknown): void {
    if (!this.#stop.signal.aborted) this.#pulls.fail(error);
  }

  #requireLostLog(): void {
    const { name, divergence } = this.#connection.state;
    if (divergence !== "log") throw new NotDivergedError(name);
  }
}
