import { retryDelayMs } from "@izo/core";

/** What came of a poll. */
export interface PollNote {
  readonly records: number;
  /** There is nothing behind them in the log, as the server says. */
  readonly isAtHead: boolean;
  /** How long the server was asked to wait for a record. */
  readonly waitMs: number;
  readonly tookMs: number;
}

/**
 * Answers to polls that brought nothing and came too soon. A server that does not wait, or something in front of it that
 * answers in its place, would be asked again hundreds of times a second: the pauses grow as after failures, up to the
 * wait that it was asked for.
 */
export class EmptyAnswers {
  #inARow = 0;
  #mostMs = 0;

  note({ records, isAtHead, waitMs, tookMs }: PollNote): void {
    const isNews = records > 0 || (isAtHead && tookMs >= waitMs);
    this.#inARow = isNews ? 0 : this.#inARow + 1;
    // Where it says that there is more and gives nothing, it is as if it had failed.
    this.#mostMs = isAtHead ? waitMs - tookMs : Infinity;
  }

  /** How long to wait before the next poll; 0 for not at all. */
  pauseMs(random: number): number {
    return this.#inARow === 0 ? 0 : Math.min(retryDelayMs(this.#inARow, random), this.#mostMs);
  }
}
