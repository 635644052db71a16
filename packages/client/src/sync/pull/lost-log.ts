/**
 * What a client does about a server that has lost a part of its log, because it was restored from a
 * backup: nothing, until somebody decides (docs/decisions/0006). InterSync calls it while the connection
 * is `diverged`; `izo salvage` shows the plan, and decides.
 *
 * Meanwhile nothing is pulled and nothing is pushed; programs go on as if offline. A crash forgets the
 * decision and nothing else: the divergence is found again.
 */

import { IzoError, type ChangeSet, type ClientOperation, type Recno, type Sha256 } from "@izo/core";

import type { CacheExecutor } from "../cache-executor.ts";
import { RemoteProblemError } from "../remote-error.ts";
import type { Remote } from "../remote.ts";
import type { LocalReplica } from "../replica/local-replica.ts";
import { WakeUp } from "../wake-up.ts";
import { findCommon } from "./find-common.ts";
import { receiveTree } from "./receive-tree.ts";
import type { ReceivedTree } from "./received-tree.ts";

/** The server is asked for the lost log again: somebody may have restored a newer backup. */
const ASK_AGAIN_MS = 10_000;

/** The server does not have the log any more that was replayed here. */
export class ServerRestoredError extends IzoError {
  constructor(recno: Recno) {
    super(
      "log-diverged",
      `Cannot go on with this server: record ${recno}, the last that was replayed here, is not in its log; it was restored from a backup`,
      { recno },
    );
  }
}

/** There is nothing to be brought back. */
export class NotDivergedError extends IzoError {
  constructor(state: string) {
    super(
      "not-diverged",
      `Cannot salvage anything: the server has the log that was replayed here (${state})`,
    );
  }
}

/** What would be brought back to the server, for people to decide on. */
export interface SalvagePlan {
  /** The last record that both logs share, as far as is known here. */
  readonly commonRecno: Recno;
  /** The last record that was replayed here. */
  readonly replayedRecno: Recno;
  /** Where the server's log ends now. */
  readonly serverRecno: Recno;
  /** Records that would be made from what only this client has. */
  readonly changes: readonly { readonly opcode: string; readonly path: string }[];
  /** Files changed since, of whose content nothing is in this cache: another client may have it. */
  readonly absent: readonly string[];
  /** Changes made here that no server has acknowledged: they are kept, whatever is decided. */
  readonly pending: number;
}

export interface LostLogOptions {
  readonly replica: LocalReplica;
  readonly remote: Remote;
  readonly cache: CacheExecutor;
}

export class LostLog {
  readonly #options: LostLogOptions;
  readonly #bell = new WakeUp();
  #isDecided = false;
  #plan: Promise<SalvagePlan> | null = null;

  constructor(options: LostLogOptions) {
    this.#options = options;
  }

  /** Nobody has decided yet. */
  get isUndecided(): boolean {
    return !this.#isDecided;
  }

  /** Ends the wait before the server is asked again: it may have the log by now. */
  askAgain(): void {
    this.#bell.ring();
  }

  /** What this client has shall be brought back. */
  decide(): void {
    this.#isDecided = true;
    this.#bell.ring();
  }

  /**
   * Waits for the decision and carries it out. Gives what changes for programs; null when the server has
   * the log again, and nothing had to be done.
   *
   * @throws what the remote throws
   */
  async settle(signal: AbortSignal): Promise<ChangeSet | null> {
    while (this.isUndecided) {
      // oxlint-disable-next-line no-await-in-loop -- the bell is what the loop waits for
      await this.#bell.wait(signal, ASK_AGAIN_MS);
      signal.throwIfAborted();
      // oxlint-disable-next-line no-await-in-loop
      if (await this.#isBack(signal)) return null;
    }
    await this.#plan?.catch(() => {});
    const changes = await this.#withServerTree(signal, (received, common) =>
      this.#options.replica.adoptRestoredTree(received, common, this.#contentsHere()),
    );
    this.#isDecided = false;
    return changes;
  }

  /** Says what would be brought back, and changes nothing. @throws what the remote throws */
  plan(signal: AbortSignal): Promise<SalvagePlan> {
    // One at a time: a received tree is one file.
    this.#plan ??= this.#makePlan(signal).finally(() => {
      this.#plan = null;
    });
    return this.#plan;
  }

  #makePlan(signal: AbortSignal): Promise<SalvagePlan> {
    const { replica } = this.#options;
    return this.#withServerTree(signal, (received, common) => {
      const hasContent = this.#contentsHere();
      const changes = replica.planSalvage(received, common, hasContent).map(({ operation }) => ({
        opcode: operation.opcode,
        path: shownPath(operation),
      }));
      return {
        commonRecno: common,
        replayedRecno: replica.position.recno,
        serverRecno: received.start.position.recno,
        changes,
        absent: replica.pathsWithout(common, hasContent),
        pending: replica.pendingCount,
      };
    });
  }

  async #withServerTree<T>(
    signal: AbortSignal,
    use: (received: ReceivedTree, common: Recno) => T | Promise<T>,
  ): Promise<T> {
    const { replica, remote } = this.#options;
    const common = await findCommon(replica.pastPositions, remote, signal);
    using database = replica.receiveTree();
    const start = await receiveTree(remote.snapshot(replica.peer, signal), database, signal);
    return await use({ database, start }, common);
  }

  #contentsHere(): (sha256: Sha256) => boolean {
    const { replica, cache } = this.#options;
    const here = new Set<Sha256>();
    for (const { oid, sha256 } of replica.authoritative.files()) {
      if (sha256 !== null && cache.hasContent(oid, sha256)) here.add(sha256);
    }
    return (sha256) => here.has(sha256);
  }

  async #isBack(signal: AbortSignal): Promise<boolean> {
    const { replica, remote } = this.#options;
    try {
      await remote.poll(replica.position, { waitSeconds: 0, limitRecords: 1 }, signal);
      return true;
    } catch (error) {
      if (error instanceof RemoteProblemError && error.code === "log-diverged") return false;
      throw error;
    }
  }
}

function shownPath(operation: ClientOperation): string {
  if (operation.opcode === "RENAME") return operation.toPath;
  return "path" in operation ? operation.path : "/";
}
