import { setTimeout as delay } from "node:timers/promises";

import {
  type ChangeSet,
  type FilesetId,
  type FilesetProfile,
  type PolicyRule,
  type Pulled,
  retryDelayMs,
} from "@izo/core";

import type { Connection } from "../connection.ts";
import type { QuietMoments } from "../quiet-moments.ts";
import type { PolledRecords, PollOptions, Remote } from "../remote.ts";
import type { LocalReplica } from "../replica/local-replica.ts";
import { connectionEventOf, ForeignServerError } from "../sync-error.ts";
import type { Troubles } from "../troubles.ts";
import { WakeUp } from "../wake-up.ts";
import { EmptyAnswers } from "./empty-answers.ts";
import type { Lag } from "./lag.ts";
import type { LostLog } from "./lost-log.ts";
import { receiveTree } from "./receive-tree.ts";

/**
 * A poll that finds nothing waits this long at the server. It bounds how long a client takes to notice
 * that its packets are dropped (docs/sync-state-machine.md, "A silent network").
 */
const POLL_WAIT_SECONDS = 10;

/** Records replayed in one transaction: about 50 ms during which no program is answered. */
const POLL_RECORDS = 1_000;

/** While own records wait, a program is at work, and each of those that come back is shown as acknowledged besides. */
const WORKING_POLL_RECORDS = 250;

/**
 * Each pull is about what waits for the same names, and can take a second where a hundred thousand records are about one
 * file. Of own records that come back nobody learns anything: there are four times as long pauses between them then, and
 * the next pull takes twice as many of those that have come meanwhile.
 */
const REST_FACTOR = 4;
const MOST_POLL_RECORDS = 20_000;

/** So much for each record is not that of an ordinary pull, which takes a quarter of it. */
const DEAR_RECORD_MS = 0.2;

/** What takes less is not worth a pause. */
const WORTH_A_REST_MS = 50;

export interface PullLoopOptions {
  readonly replica: LocalReplica;
  readonly remote: Remote;
  readonly fileset: FilesetId;
  readonly connection: Connection;
  readonly lag: Lag;
  readonly troubles: Troubles;
  readonly lostLog: LostLog;
  readonly quiet: QuietMoments;
  readonly random: () => number;
  /** Contents up to so many bytes may come along with the records that name them. */
  readonly contentsUpTo: number;
  /** Shows what an earlier step could not. @throws what the cache throws */
  readonly showWaiting: () => void;
  readonly show: (changes: ChangeSet) => void;
  /** There is another tree than before: all of it may be wanted. */
  readonly onNewTree: () => void;
  /** The server has said what it is, and what this mount may do. */
  readonly onProfile: (profile: FilesetProfile) => void;
  /** Contents may be had, or be wanted, that were not before. */
  readonly onContents: () => void;
}

/** Connects, gets the tree, polls the log and replays it: whatever the connection's state says. */
export class PullLoop {
  readonly #options: PullLoopOptions;
  /** Rung to end the wait before the next attempt to connect. */
  readonly #bell = new WakeUp();
  #policies: readonly PolicyRule[] | null = null;
  /** How long to leave own records at the server before the next poll. */
  #restMs = 0;
  /** How many to take then; null where there was no rest. */
  #restedRecords: number | null = null;
  readonly #emptyAnswers = new EmptyAnswers();

  constructor(options: PullLoopOptions) {
    this.#options = options;
  }

  /** By which the server judges; null before the first contact. */
  get policies(): readonly PolicyRule[] | null {
    return this.#policies;
  }

  /** How long it is until the next attempt to connect; null where none is waited for. */
  get retryInMs(): number | null {
    return this.#bell.dueInMs;
  }

  /** The next attempt need not wait: the network may be back. */
  wake(): void {
    this.#bell.ring();
  }

  /** Who shows another token is somebody else to the server: what it says to him is asked for again. */
  askAgain(): void {
    const { remote, connection } = this.#options;
    this.wake();
    if (connection.state.name !== "polling" && connection.state.name !== "pushing") return;
    const { signal } = connection;
    remote.profile(signal).then(
      (profile) => signal.aborted || this.#learn(profile),
      (error: unknown) => signal.aborted || this.fail(error),
    );
  }

  /** Resolves when `stop` aborts. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const { signal } = this.#options.connection;
      try {
        // oxlint-disable-next-line no-await-in-loop -- one step after another is what a loop is for
        await this.#step(signal);
      } catch (error) {
        // What was aborted with the connection ended because somebody else saw it end.
        if (!signal.aborted && !stop.aborted) this.fail(error);
      }
    }
  }

  /** Something ended a step: the state machine says what that means, unless it is this machine's fault. */
  fail(error: unknown): void {
    const { connection, troubles } = this.#options;
    const event = error instanceof ForeignServerError ? "refused" : connectionEventOf(error);
    if (event === undefined) {
      troubles.noteInStep(error);
      return;
    }
    troubles.note(error);
    connection.happen(event);
  }

  async #step(signal: AbortSignal): Promise<void> {
    const { connection, troubles, random, showWaiting } = this.#options;
    if (troubles.inSteps > 0) {
      await this.#bell.wait(signal, retryDelayMs(troubles.inSteps, random()));
      signal.throwIfAborted();
    }
    showWaiting();
    const { name, divergence } = connection.state;
    switch (name) {
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
        return divergence === "log" ? this.#settleLostLog(signal) : this.#renew(signal);
    }
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const { replica, remote, fileset, connection, lag, random, onContents } = this.#options;
    const { failures, isForced } = connection.state;
    if (isForced) return this.#bell.wait(signal);
    if (failures > 0) await this.#bell.wait(signal, retryDelayMs(failures, random()));
    signal.throwIfAborted();
    const profile = await remote.profile(signal);
    if (profile.id !== fileset) throw new ForeignServerError(profile.id, fileset);
    lag.noteHead(profile.head.recno);
    this.#learn(profile);
    replica.forgetReceived();
    connection.happen(replica.hasTree ? "connected" : "connected-empty");
    onContents();
  }

  /** What the server says of itself, and to this mount. */
  #learn(profile: FilesetProfile): void {
    this.#policies = profile.conflictPolicies;
    this.#options.onProfile(profile);
  }

  async #bootstrap(signal: AbortSignal): Promise<void> {
    const { replica, remote, connection, show, onNewTree, onContents } = this.#options;
    using database = replica.receiveTree();
    const start = await receiveTree(remote.snapshot(replica.peer, signal), database, signal);
    const isFirst = !replica.hasTree;
    const { changes, isDiverged } = replica.adoptTree({ database, start });
    onNewTree();
    // The server looks for contents while the first tree is shown, of which nothing is in the cache yet.
    if (isFirst) onContents();
    show(changes);
    connection.happen("tree-adopted");
    if (isDiverged) connection.happen("peer-diverged");
    onContents();
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const { replica, connection, quiet } = this.#options;
    const waitSeconds = connection.state.isCaughtUp ? POLL_WAIT_SECONDS : 0;
    const contentsUpTo = connection.state.isCaughtUp ? this.#options.contentsUpTo : 0;
    const { peer } = replica;
    const limitRecords =
      this.#restedRecords ?? (replica.pendingCount > 0 ? WORKING_POLL_RECORDS : POLL_RECORDS);
    const options = { waitSeconds, limitRecords, peer, contentsUpTo };
    if (this.#restMs > 0) await delay(this.#restMs, undefined, { signal });
    this.#restMs = 0;
    this.#restedRecords = null;
    const { records, last, isAtHead } = await this.#ask(options, signal);
    if (records.length > 0) {
      // What others did is news, also to a program that asks for nothing else meanwhile.
      const isOwn = records.every(({ origin }) => origin.peer === replica.peer);
      if (isOwn) await quiet.wait(signal);
      signal.throwIfAborted();
      const startMs = performance.now();
      this.#take(replica.applyRemote(records, last));
      const tookMs = performance.now() - startMs;
      const isDear = tookMs >= Math.max(WORTH_A_REST_MS, DEAR_RECORD_MS * records.length);
      if (isOwn && isDear) {
        this.#restMs = REST_FACTOR * tookMs;
        this.#restedRecords = Math.min(MOST_POLL_RECORDS, 2 * limitRecords);
      }
    }
    connection.happen(isAtHead ? "caught-up" : "pulled");
  }

  /** Asks for records, and not at once again where the server says at once that there are none. */
  async #ask(
    options: PollOptions,
    signal: AbortSignal,
  ): Promise<PolledRecords & { readonly isAtHead: boolean }> {
    const { replica, remote, lag, random } = this.#options;
    const pauseMs = this.#emptyAnswers.pauseMs(random());
    if (pauseMs > 0) await this.#bell.wait(signal, pauseMs);
    signal.throwIfAborted();
    const startMs = performance.now();
    const polled = await remote.poll(replica.position, options, signal);
    const { records, last, head } = polled;
    const isAtHead = last.recno >= head.recno;
    lag.noteHead(head.recno);
    this.#emptyAnswers.note({
      records: records.length,
      isAtHead,
      waitMs: (options.waitSeconds ?? 0) * 1000,
      tookMs: performance.now() - startMs,
    });
    return { ...polled, isAtHead };
  }

  #take({ changes, isDiverged }: Pulled): void {
    const { replica, connection, troubles, show, onContents } = this.#options;
    show(changes);
    if (isDiverged) connection.happen("peer-diverged");
    onContents();
    replica.truncateLog().catch((error: unknown) => troubles.note(error));
  }

  /** The server was restored from a backup: what only this client has is brought back, once that is wanted. */
  async #settleLostLog(signal: AbortSignal): Promise<void> {
    const { lostLog, connection, show, onNewTree } = this.#options;
    const changes = await lostLog.settle(signal);
    if (changes !== null) {
      onNewTree();
      show(changes);
    }
    connection.happen("recovered");
  }

  /** Another client uses this one's id: what waits goes on under a new one. */
  async #renew(signal: AbortSignal): Promise<void> {
    const { replica, connection, troubles, random } = this.#options;
    // Under a new id the same answer may come again, whatever is sent.
    const renewals = troubles.noteRenewal();
    if (renewals > 1) await this.#bell.wait(signal, retryDelayMs(renewals - 1, random()));
    signal.throwIfAborted();
    // To the head first: what the server took under the old id is known then, and not sent again.
    for (let isBehind = true; isBehind;) {
      const options = { waitSeconds: 0, limitRecords: POLL_RECORDS };
      // oxlint-disable-next-line no-await-in-loop -- each poll goes on from the one before
      const { records, last, isAtHead } = await this.#ask(options, signal);
      if (records.length > 0) this.#take(replica.applyRemote(records, last));
      isBehind = !isAtHead;
    }
    await replica.renewIdentity();
    connection.happen("recovered");
  }
}
