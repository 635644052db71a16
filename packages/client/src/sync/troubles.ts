import { describeError, type SyncError } from "./sync-error.ts";

/** What went wrong and was not put right since: what the status shows, and what each backoff goes by. */
export class Troubles {
  readonly #nowMs: () => number;
  readonly #onError: (error: SyncError) => void;
  #last: SyncError | null = null;
  #inSteps = 0;
  #inPushes = 0;
  #renewals = 0;

  constructor(nowMs: () => number, onError: (error: SyncError) => void) {
    this.#nowMs = nowMs;
    this.#onError = onError;
  }

  get last(): SyncError | null {
    return this.#last;
  }

  /** Steps in a row that failed on this machine, as on a full disk. */
  get inSteps(): number {
    return this.#inSteps;
  }

  /** Pushes in a row that failed while polling goes on (Y4). */
  get inPushes(): number {
    return this.#inPushes;
  }

  note(error: unknown): void {
    this.#last = describeError(error, this.#nowMs());
    this.#onError(this.#last);
  }

  /** The connection is as it was; the same step is tried again, with patience (Y11). */
  noteInStep(error: unknown): void {
    this.#inSteps += 1;
    this.note(error);
  }

  noteInPush(error: unknown): void {
    this.#inPushes += 1;
    this.note(error);
  }

  /** A step has worked; what is about pushing is over only when a push has. */
  endInSteps(): void {
    this.#inSteps = 0;
    if (this.#inPushes === 0) this.#last = null;
  }

  /** What waits goes on under a new id; returns how often it has since a push got through. */
  noteRenewal(): number {
    this.#renewals += 1;
    return this.#renewals;
  }

  endInPushes(): void {
    this.#inPushes = 0;
    this.#renewals = 0;
  }

  /** What the last one was about is wanted now. */
  forget(): void {
    this.#last = null;
  }
}
