import type { Recno } from "@izo/core";

import type { Connection } from "./connection.ts";
import type { RemovalHold } from "./hold/removal-hold.ts";
import type { ScopeHold } from "./hold/scope-hold.ts";
import { type LostLog, ServerRestoredError } from "./pull/lost-log.ts";
import type { LocalReplica } from "./replica/local-replica.ts";
import type { Sealer } from "./seal/sealer.ts";
import type { Showing } from "./showing.ts";
import { ForcedOfflineError, RemovalHeldError } from "./sync-error.ts";
import { Waiters } from "./waiters.ts";

export interface SyncWaitsOptions {
  readonly replica: LocalReplica;
  readonly connection: Connection;
  readonly lostLog: LostLog;
  /** Aborts when synchronization ends: nobody waits longer. */
  readonly stop: AbortSignal;
}

/** What a flush has to do with besides. */
export interface FlushParts {
  readonly sealer: Sealer;
  readonly removals: RemovalHold;
  readonly scope: ScopeHold;
  /** Has the server asked again, now. */
  readonly askServer: () => void;
}

/** Those who wait for what synchronization brings about: a record, an empty own log, a tree, a first answer. */
export class SyncWaits {
  readonly #options: SyncWaitsOptions;
  readonly #waiters = new Waiters();

  constructor(options: SyncWaitsOptions) {
    this.#options = options;
  }

  /** Something has changed that somebody may wait for. */
  check(): void {
    this.#waiters.check();
  }

  /** @throws the signal's reason; what the condition throws */
  until(isMet: () => boolean, signal: AbortSignal): Promise<void> {
    return this.#waiters.until(isMet, this.orStopped(signal));
  }

  /** A signal that aborts when synchronization ends, too. */
  orStopped(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#options.stop]);
  }

  /** Resolves when all own records made before the call are acknowledged. @throws the signal's reason */
  async flush(
    { sealer, removals, scope, askServer }: FlushParts,
    signal: AbortSignal,
  ): Promise<void> {
    const { replica, connection } = this.#options;
    const { peer, ownHead } = replica;
    if (connection.state.isForced && replica.pendingCount > 0)
      throw new ForcedOfflineError(replica.pendingCount);
    sealer.wake();
    const { asked } = scope;
    askServer();
    await this.until(() => {
      this.#throwIfLogIsLost();
      if (replica.pendingCount === 0) return true;
      // Something goes out, and all that waits is looked through for an answer: asked again when it is done.
      const isPushing = connection.state.name === "pushing";
      if (!isPushing && removals.isAllThatWaits()) throw new RemovalHeldError(removals.held()!);
      // What the server said before the call may be otherwise by now.
      if (scope.asked > asked && scope.isAllThatWaits()) throw scope.problem()!;
      // Under another id the records have other numbers: then all of them are waited for.
      return replica.peer === peer && (replica.pending.oldestRecno ?? ownHead + 1) > ownHead;
    }, signal);
  }

  /** Resolves when the server's log was replayed up to a record, and is shown. @throws the signal's reason */
  async forRecord(recno: Recno, showing: Showing, signal: AbortSignal): Promise<void> {
    const { replica } = this.#options;
    await this.until(() => {
      if (replica.position.recno >= recno && showing.isUpToDate) return true;
      this.#throwIfLogIsLost();
      return false;
    }, signal);
  }

  /** Resolves when there is a tree to show. @throws the signal's reason */
  async forTree(signal: AbortSignal): Promise<void> {
    await this.until(() => this.#options.replica.hasTree, signal);
  }

  /** Resolves when the server was asked once, with whatever answer, or shall not be. @throws the signal's reason */
  async forContact(signal: AbortSignal): Promise<void> {
    await this.until(() => {
      const { name, failures, isForced } = this.#options.connection.state;
      return name !== "offline" || failures > 0 || isForced;
    }, signal);
  }

  /** Who waits for this server would wait for ever: a person has to decide first. */
  #throwIfLogIsLost(): void {
    const { replica, connection, lostLog } = this.#options;
    if (connection.state.divergence !== "log" || !lostLog.isUndecided) return;
    throw new ServerRestoredError(replica.position.recno);
  }
}
