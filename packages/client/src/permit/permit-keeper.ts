/**
 * The permits of one mount: takes, keeps and hands them back, says what may be changed under them, and
 * which of them a push has to state. The mount makes one, whether it requires permits or not.
 *
 * What was made under a permit and is not on the server is noted in the cache, so a crash loses only the
 * permit; the next start asks for it again. The worst outcome of an error here is a mount that stays
 * read-only, or a push that is judged without its permit.
 */

import {
  type Epoch,
  isWithin,
  mayChange,
  mayFinish,
  objectPath,
  type HolderState,
  type Oid,
  type PermitFence,
  ROOT_OID,
  type StateReader,
} from "@izo/core";

import type { PushedPermits } from "../sync/push/pusher.ts";
import type { SyncError } from "../sync/sync-error.ts";
import { HeldPermit, type PermitHost } from "./held-permit.ts";
import type { HeldPermits } from "./permit-gate.ts";
import type { PermitMode } from "./permit-mode.ts";
import type { PermitNote } from "./permit-note.ts";

export interface PermitKeeperOptions extends Omit<PermitHost, "noteGrant" | "noteEnd"> {
  readonly mode: PermitMode;
  readonly note: PermitNote;
  /** The server did not answer twice in a row. */
  readonly isServerLost: () => boolean;
  /** The tree that programs see. */
  readonly visible: () => StateReader;
  /** Somebody else was given a permit before all that was made under it was on the server. */
  readonly onPassedOn: (fence: PermitFence) => void;
}

/** A permit that is wanted or held here. Scripts count on these names. */
export interface MountPermit {
  readonly path: string;
  readonly oid: Oid;
  /** `asking`, `arriving`, `held`, `lapsed`, `returning`, `leaving`: docs/permits.md. */
  readonly state: Exclude<HolderState["name"], "free"> | "lapsed";
  readonly epoch: Epoch;
  /** How long everything may be changed still, unless it is renewed. */
  readonly leftMs: number;
  readonly problem: SyncError | null;
}

/** How long the end of a mount waits for its changes to be on the server, to hand a permit back. */
const HAND_BACK_MS = 10_000;

export class PermitKeeper implements HeldPermits, PushedPermits, AsyncDisposable {
  readonly #options: PermitKeeperOptions;
  readonly #host: PermitHost;
  readonly #permits = new Map<Oid, HeldPermit>();

  constructor(options: PermitKeeperOptions) {
    this.#options = options;
    const { note, peer } = options;
    this.#host = {
      ...options,
      noteGrant: ({ oid, epoch }) => note.add({ oid, epoch, peer: peer() }),
      noteEnd: ({ oid, epoch }) => {
        for (const noted of note.permits) {
          if (noted.oid === oid && noted.epoch <= epoch) note.remove(noted);
        }
      },
    };
    for (const noted of note.permits) if (noted.peer !== peer()) note.remove(noted);
  }

  /** Asks for what the last process held, and for what this mount takes by itself. */
  start(): void {
    const isTakingOver = this.#options.mode === "take-over";
    if (isTakingOver) this.#permit(ROOT_OID).ask({ asksBack: false, isLasting: true });
    for (const { oid, epoch } of this.current) {
      const isLasting = isTakingOver && oid === ROOT_OID;
      this.#permit(oid).ask({ asksBack: false, isLasting }, epoch);
    }
  }

  /** Resolves when the permit is held; who holds it is asked for it. @throws the signal's reason */
  async take(oid: Oid, signal: AbortSignal): Promise<void> {
    const permit = this.#permit(oid);
    const isLasting = this.#options.mode === "take-over" && oid === ROOT_OID;
    permit.ask({ asksBack: true, isLasting });
    try {
      await permit.untilHeld(signal);
    } catch (error) {
      if (permit.state.name === "asking" && !isLasting) permit.release();
      throw error;
    }
  }

  /** Resolves when the permit is handed back, all that was made under it before. @throws the signal's reason */
  async release(oid: Oid, signal: AbortSignal): Promise<void> {
    const permit = this.#permits.get(oid);
    permit?.release();
    await permit?.untilFree(signal);
  }

  /** What is wanted or held, in the order in which it was asked for. */
  list(): MountPermit[] {
    const nowMs = this.#options.clockMs();
    const visible = this.#options.visible();
    return [...this.#permits.values()].flatMap(({ oid, state, problem }) => {
      const { name, epoch, untilMs } = state;
      if (name === "free") return [];
      const isLapsed = name === "held" && nowMs >= untilMs;
      const path = objectPath(visible, oid);
      const leftMs = Math.max(0, Math.floor(untilMs - nowMs));
      return [{ path, oid, state: isLapsed ? "lapsed" : name, epoch, leftMs, problem }];
    });
  }

  mayChangeIn(directories: readonly Oid[]): boolean {
    return this.#allows(directories, mayChange);
  }

  mayFinishIn(directories: readonly Oid[]): boolean {
    return this.#allows(directories, mayFinish);
  }

  get current(): readonly PermitFence[] {
    const peer = this.#options.peer();
    return this.#options.note.permits
      .filter((noted) => noted.peer === peer)
      .map(({ oid, epoch }) => ({ oid, epoch }));
  }

  notePassedOn(fence: PermitFence): boolean {
    const isKnown = this.#options.note.remove(fence);
    if (isKnown) this.#options.onPassedOn(fence);
    return isKnown;
  }

  /** A file has lost its last writer. */
  noteWriterGone(): void {
    for (const permit of this.#permits.values()) permit.noteWriterGone();
  }

  /** Hands back what is held, where the server has all that was made under it within a short time. */
  async [Symbol.asyncDispose](): Promise<void> {
    const permits = [...this.#permits.values()];
    if (this.#options.mayAsk() && !this.#options.isServerLost()) {
      const signal = AbortSignal.timeout(HAND_BACK_MS);
      await Promise.allSettled(permits.map(({ oid }) => this.release(oid, signal)));
    }
    await Promise.all(permits.map((permit) => permit.stop()));
  }

  #permit(oid: Oid): HeldPermit {
    const known = this.#permits.get(oid);
    if (known !== undefined) return known;
    const permit = new HeldPermit(oid, this.#host);
    this.#permits.set(oid, permit);
    return permit;
  }

  #allows(
    directories: readonly Oid[],
    isAllowed: (state: HolderState, nowMs: number) => boolean,
  ): boolean {
    const nowMs = this.#options.clockMs();
    const held: Oid[] = [];
    for (const { oid, state } of this.#permits.values()) {
      if (isAllowed(state, nowMs)) held.push(oid);
    }
    if (held.includes(ROOT_OID)) return true;
    const visible = this.#options.visible();
    return directories.every((directory) => held.some((oid) => isWithin(visible, directory, oid)));
  }
}
