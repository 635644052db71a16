/**
 * One permit on its way through the states of `permit-holder.ts`: asked for, renewed, handed back
 * (docs/permits.md). The keeper makes one for each directory that somebody wants to write below.
 *
 * It holds nothing that a crash could lose but the permit itself, which the next start asks for again.
 * The worst outcome of an error here is a mount that stays read-only.
 */

import { setTimeout as sleep } from "node:timers/promises";

import {
  type Epoch,
  type HolderEvent,
  type HolderState,
  isHolding,
  mayChange,
  nextHolder,
  NO_PERMIT,
  type Oid,
  type PeerId,
  type PermitFence,
  type PermitLease,
  type PermitRequest,
  type Recno,
  retryDelayMs,
} from "@izo/core";

import { describeError, type SyncError } from "../sync/sync-error.ts";
import { Waiters } from "../sync/waiters.ts";
import { WakeUp } from "../sync/wake-up.ts";

/** The server of a fileset, as far as permits go. A `HttpRemote` is one. */
export interface PermitRemote {
  /** Resolves with the lease, or null once a permit is handed back. */
  permit(request: PermitRequest, signal: AbortSignal): Promise<PermitLease | null>;
}

/** What holding a permit needs of the mount. */
export interface PermitHost {
  readonly remote: PermitRemote;
  readonly hostName: string;
  readonly peer: () => PeerId;
  /** `bootClockMs`, but for tests. */
  readonly clockMs: () => number;
  readonly nowMs: () => number;
  readonly random: () => number;
  /** False while the user keeps the mount offline. */
  readonly mayAsk: () => boolean;
  readonly replayTo: (recno: Recno, signal: AbortSignal) => Promise<void>;
  readonly flush: (signal: AbortSignal) => Promise<void>;
  /** Tells whether a program has a file below the directory open for writing. */
  readonly hasWriterBelow: (oid: Oid) => boolean;
  /** Durable when it returns: from here on records may be made under it. */
  readonly noteGrant: (fence: PermitFence) => void;
  /** Nothing that was made under it is left to be sent. */
  readonly noteEnd: (fence: PermitFence) => void;
}

/** How the permit is asked for. */
export interface PermitWant {
  /** Whoever holds it is asked to hand it back; else its end is waited for. */
  readonly asksBack: boolean;
  /** Asked for again when somebody else got it. */
  readonly isLasting: boolean;
}

/** How long the server may hold an answer back; it takes less where its terms are short. */
const WAIT_SECONDS = 20;
/** An answer that does not come is waited for so much longer. */
const ANSWER_MS = 5_000;
/** Pauses of those who leave the holder alone. */
const LONGEST_PAUSE_MS = 2_000;
/** How soon it is noticed that the user has gone online again. */
const OFFLINE_PAUSE_MS = 500;
/** Attempts to go on with a lease come at least this often, as a share of it. */
const RENEWAL_SHARE = 0.1;

export class HeldPermit {
  readonly oid: Oid;
  readonly #host: PermitHost;
  readonly #stop = new AbortController();
  readonly #waiters = new Waiters();
  readonly #bell = new WakeUp();
  #state: HolderState = NO_PERMIT;
  #want: PermitWant = { asksBack: false, isLasting: false };
  /** Of the last process, to be renewed before a new one is asked for. */
  #resumed: Epoch | null = null;
  #problem: SyncError | null = null;
  #termMs = 0;
  /** Ends what belongs to the state as it is. */
  #stage = new AbortController();
  #loop: Promise<void> | null = null;

  constructor(oid: Oid, host: PermitHost) {
    this.oid = oid;
    this.#host = host;
  }

  get state(): HolderState {
    return this.#state;
  }

  /** What stands in the way, as far as is known: who holds it, or that nobody answers. */
  get problem(): SyncError | null {
    return this.#problem;
  }

  /** @param resumed the number under which the last process held it */
  ask(want: PermitWant, resumed: Epoch | null = null): void {
    // Who has it already is not to ask for it again when he is asked to hand it back.
    const hasIt = this.#state.name === "arriving" || this.#state.name === "held";
    this.#want = { ...want, asksBack: want.asksBack && !hasIt };
    this.#resumed = resumed;
    this.#happen({ type: "asked" });
    this.#bell.ring();
    this.#loop ??= this.#run().finally(() => (this.#loop = null));
  }

  /** Gives it up; what is open for writing may be finished. */
  release(): void {
    this.#want = { asksBack: false, isLasting: false };
    this.#happen({ type: "released" });
  }

  /** Resolves as soon as everything may be changed. @throws the signal's reason */
  untilHeld(signal: AbortSignal): Promise<void> {
    return this.#waiters.until(() => mayChange(this.#state, this.#host.clockMs()), signal);
  }

  /** Resolves when the server has it back, or somebody else has it. @throws the signal's reason */
  untilFree(signal: AbortSignal): Promise<void> {
    return this.#waiters.until(() => this.#state.name === "free", signal);
  }

  /** A file has lost its last writer. */
  noteWriterGone(): void {
    this.#waiters.check();
  }

  /** Stops asking and renewing; what is held ends by itself. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error("the mount is going away"));
    this.#stage.abort(this.#stop.signal.reason);
    this.#bell.ring();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (this.#state.name !== "free" && !this.#stop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one state after another is what a loop is for
      await (isHolding(this.#state) ? this.#hold() : this.#askOnce());
    }
  }

  /** Asks once; a failure is waited off. */
  async #askOnce(): Promise<void> {
    const { signal } = this.#stage;
    const { clockMs, hostName } = this.#host;
    const sentMs = clockMs();
    const epoch = this.#resumed;
    const { oid } = this;
    const waitSeconds = this.#want.asksBack ? WAIT_SECONDS : 0;
    try {
      const lease = await this.#request(
        epoch === null
          ? { action: "take", peer: this.#host.peer(), host: hostName, oid, waitSeconds }
          : { action: "renew", peer: this.#host.peer(), oid, epoch, waitSeconds: 0 },
        signal,
      );
      this.#host.noteGrant(lease);
      this.#resumed = null;
      this.#want = { ...this.#want, asksBack: false };
      this.#termMs = Math.max(this.#termMs, lease.leaseMs);
      this.#problem = null;
      this.#happen({ type: "granted", sentMs, ...lease });
    } catch (error) {
      if (signal.aborted) return;
      this.#problem = describeError(error, this.#host.nowMs());
      if (codeOf(error) === "permit-passed-on") {
        this.#resumed = null;
        // Somebody else has it since: who wanted it only because he had it does not any more.
        if (!this.#want.asksBack && !this.#want.isLasting) this.#happen({ type: "released" });
        return;
      }
      // Who waits at the server has paused there.
      const hasPaused = codeOf(error) === "permit-held" && this.#want.asksBack;
      if (!hasPaused) await this.#bell.wait(signal, this.#pauseMs());
    }
  }

  /** Keeps the lease going, and does what its states ask for, until it is over. */
  async #hold(): Promise<void> {
    await Promise.all([this.#renew(), this.#goOn()]);
    const { isLasting, asksBack } = this.#want;
    if (this.#state.name === "free" && (isLasting || asksBack)) this.#happen({ type: "asked" });
  }

  async #renew(): Promise<void> {
    const { clockMs } = this.#host;
    let failures = 0;
    while (isHolding(this.#state) && this.#state.name !== "leaving" && !this.#isStopped) {
      const { epoch } = this.#state;
      const { oid } = this;
      const waitSeconds = this.#state.name === "returning" ? 0 : WAIT_SECONDS;
      const sentMs = clockMs();
      try {
        // oxlint-disable-next-line no-await-in-loop -- each renewal goes on from the one before
        const lease = await this.#request(
          { action: "renew", peer: this.#host.peer(), oid, epoch, waitSeconds },
          this.#stop.signal,
        );
        if (lease.epoch !== epoch) this.#host.noteGrant(lease);
        failures = 0;
        this.#problem = null;
        this.#termMs = Math.max(this.#termMs, lease.leaseMs);
        this.#happen({ type: "renewed", sentMs, ...lease });
        // oxlint-disable-next-line no-await-in-loop
        if (lease.isWanted) await pause(this.#termMs * RENEWAL_SHARE, this.#stop.signal);
      } catch (error) {
        if (codeOf(error) === "permit-passed-on") {
          this.#problem = describeError(error, this.#host.nowMs());
          this.#happen({ type: "passed-on", epoch });
          return;
        }
        if (this.#isStopped) return;
        failures += 1;
        this.#problem = describeError(error, this.#host.nowMs());
        const delayMs = retryDelayMs(failures, this.#host.random());
        // oxlint-disable-next-line no-await-in-loop
        await pause(Math.min(delayMs, this.#termMs * RENEWAL_SHARE), this.#stop.signal);
      }
    }
  }

  async #goOn(): Promise<void> {
    while (isHolding(this.#state) && !this.#isStopped) {
      const { signal } = this.#stage;
      try {
        // oxlint-disable-next-line no-await-in-loop -- one state after another
        await this.#doStage(signal);
      } catch (error) {
        if (signal.aborted) continue;
        this.#problem = describeError(error, this.#host.nowMs());
        // oxlint-disable-next-line no-await-in-loop
        await pause(this.#termMs * RENEWAL_SHARE, signal);
      }
    }
  }

  async #doStage(signal: AbortSignal): Promise<void> {
    const { oid } = this;
    const { name, epoch, recno, untilMs } = this.#state;
    switch (name) {
      case "arriving":
        await this.#host.replayTo(recno, signal);
        this.#happen({ type: "replayed", recno });
        return;
      case "returning":
        await this.#untilWritersGone(untilMs - this.#host.clockMs(), signal);
        await this.#host.flush(signal);
        this.#happen({ type: "finished" });
        return;
      case "leaving":
        await this.#request({ action: "hand-back", peer: this.#host.peer(), oid, epoch }, signal);
        this.#host.noteEnd({ oid, epoch });
        this.#happen({ type: "handed-back", epoch });
        return;
      default:
        await this.#waiters.until(() => this.#state.name !== name, signal);
    }
  }

  /** Whoever still writes when the time is over is told so by his next write. */
  async #untilWritersGone(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([
      signal,
      AbortSignal.timeout(Math.max(0, Math.ceil(timeoutMs))),
    ]);
    const areGone = this.#waiters.until(() => !this.#host.hasWriterBelow(this.oid), either);
    await areGone.catch(() => signal.throwIfAborted());
  }

  async #request(
    request: Exclude<PermitRequest, { readonly action: "hand-back" }>,
    signal: AbortSignal,
  ): Promise<PermitLease>;
  async #request(request: PermitRequest, signal: AbortSignal): Promise<PermitLease | null>;
  async #request(request: PermitRequest, signal: AbortSignal): Promise<PermitLease | null> {
    while (!this.#host.mayAsk()) {
      // oxlint-disable-next-line no-await-in-loop -- until the user goes online again
      await pause(OFFLINE_PAUSE_MS, signal);
      signal.throwIfAborted();
    }
    const waitMs = "waitSeconds" in request ? request.waitSeconds * 1000 : 0;
    const heldBackMs = this.#termMs === 0 ? waitMs : Math.min(waitMs, this.#termMs);
    const timeout = AbortSignal.timeout(heldBackMs + ANSWER_MS);
    return this.#host.remote.permit(request, AbortSignal.any([signal, timeout]));
  }

  /** At random, so that those who wait for one permit do not ask as one. */
  #pauseMs(): number {
    const mostMs = this.#termMs === 0 ? LONGEST_PAUSE_MS : this.#termMs * RENEWAL_SHARE;
    return Math.min(mostMs, LONGEST_PAUSE_MS) * (0.5 + 0.5 * this.#host.random());
  }

  get #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  #happen(event: HolderEvent): void {
    const before = this.#state;
    this.#state = nextHolder(before, event);
    if (this.#state.name !== before.name) {
      this.#stage.abort(new Error(`the permit is ${this.#state.name}`));
      this.#stage = new AbortController();
      if (this.#isStopped) this.#stage.abort(this.#stop.signal.reason);
    }
    this.#waiters.check();
  }
}

/** Ends early when the signal aborts; whoever pauses looks. */
async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  await sleep(delayMs, undefined, { signal }).catch(() => {});
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
