import { setTimeout as delay } from "node:timers/promises";

import { retryDelayMs } from "@izo/core";

import type { Connection } from "../connection.ts";
import type { QuietMoments } from "../quiet-moments.ts";
import { connectionEventOf, isChangeRefused, isRemovalRefused } from "../sync-error.ts";
import type { Troubles } from "../troubles.ts";
import { WakeUp } from "../wake-up.ts";
import { ContentLostError, type Pusher } from "./pusher.ts";

/**
 * A file that was just closed goes out with its content, and not once without it. Who takes longer to hash
 * holds up nobody else.
 */
const LONGEST_SEALING_MS = 10;

export interface PushLoopOptions {
  readonly pusher: Pusher;
  readonly connection: Connection;
  readonly troubles: Troubles;
  readonly quiet: QuietMoments;
  /** Resolves when what was recorded is sealed, as far as it can be now. */
  readonly sealed: () => Promise<void>;
  readonly random: () => number;
  /** Tells whether this mount may not change any more what it has sent, or was about to. */
  readonly isSentOutOfScope: () => boolean;
  /** What is wrong is about the connection, and not about what was pushed. */
  readonly onConnectionFailed: (error: unknown) => void;
  /** Pushed what there was, or failed to. */
  readonly onRound: () => void;
}

/** Sends what there is to send, whenever that is allowed. */
export class PushLoop {
  readonly #options: PushLoopOptions;
  /** Rung when there is something to send, or when it may be sent again. */
  readonly #bell = new WakeUp();

  constructor(options: PushLoopOptions) {
    this.#options = options;
  }

  /** Tries at once, whatever has failed before. */
  wake(): void {
    this.#bell.ring();
  }

  /** How long it is until what has failed is tried again; null where nothing has. */
  get retryInMs(): number | null {
    return this.#bell.dueInMs;
  }

  /**
   * Something was recorded. After a push that failed it waits for the next attempt: programs record all the time,
   * and what is refused would be sent again with each record.
   */
  noteRecorded(): void {
    if (this.#options.troubles.inPushes === 0) this.#bell.ring();
  }

  /** Resolves when `stop` aborts. */
  async run(stop: AbortSignal): Promise<void> {
    const { connection, troubles, random } = this.#options;
    while (!stop.aborted) {
      const failures = troubles.inPushes;
      const delayMs = failures > 0 ? retryDelayMs(failures, random()) : undefined;
      // oxlint-disable-next-line no-await-in-loop -- the bell is what the loop waits for
      await this.#bell.wait(stop, delayMs);
      if (!connection.mayPush || stop.aborted) continue;
      // oxlint-disable-next-line no-await-in-loop -- one push at a time: its reply decides the next
      await this.#pushAll(connection.signal);
    }
  }

  /** What stops a push alone is tried again later; polling goes on. */
  fail(error: unknown): void {
    const { connection, troubles, onConnectionFailed } = this.#options;
    // What was sent goes in its order or not at all: under a new id what may be changed goes alone.
    const isStuck =
      isRemovalRefused(error) || (isChangeRefused(error) && this.#options.isSentOutOfScope());
    if (error instanceof ContentLostError || isStuck) {
      troubles.note(error);
      connection.happen("peer-diverged");
      return;
    }
    const event = connectionEventOf(error);
    if (event !== undefined && event !== "refused") {
      onConnectionFailed(error);
      return;
    }
    troubles.noteInPush(error);
    connection.happen("push-ended");
  }

  async #pushAll(signal: AbortSignal): Promise<void> {
    const { connection, troubles, onRound } = this.#options;
    let hasBegun = false;
    const begin = (): void => {
      if (!hasBegun) connection.happen("push-began");
      hasBegun = true;
    };
    try {
      // oxlint-disable-next-line no-await-in-loop -- one push at a time: its reply decides the next
      while (connection.mayPush && (await this.#pushQuietly(signal, begin))) troubles.endInPushes();
      if (hasBegun) connection.happen("push-ended");
    } catch (error) {
      if (!signal.aborted) this.fail(error);
    }
    onRound();
  }

  async #pushQuietly(signal: AbortSignal, begin: () => void): Promise<boolean> {
    const { quiet, pusher, sealed } = this.#options;
    await quiet.wait(signal);
    // Last: what was closed while this waited has been sealed meanwhile, or is about to be.
    await Promise.race([sealed(), delay(LONGEST_SEALING_MS)]);
    signal.throwIfAborted();
    return pusher.push(signal, begin);
  }
}
