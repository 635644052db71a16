import { setImmediate as yieldToRequests, setTimeout as delay } from "node:timers/promises";

/** This long after the last record, a program that makes one after the other has paused. */
const QUIET_MS = 1;

/** Who has just made a file is about to write it and to close it: one push is sooner there than two. */
const NEW_FILE_MS = 6;

/**
 * So many changes within so long are a program at full speed, as one that unpacks an archive: that it now waits
 * for the disk, or for a turn on a processor, is no pause.
 */
const BURST_CHANGES = 32;
const BURST_MS = 32;

/** Who asks for so long without a pause, and changes nothing, wants this process for itself all the same. */
const BUSY_MS = 1;

/** After so much work of its own, this process cannot say that nobody asks: it has not looked. */
const UNSEEN_MS = 1;

/** Between two looks whether it has, at most. */
const LOOK_MS = 4;

/** A program that never pauses must not keep others from what it does, nor this client from what they do. */
const LONGEST_MS = 1000;

/** After so long a wait, all that waits has its turn for this long. */
const TURN_MS = 100;

/**
 * Lets synchronization wait until programs pause: both need this process, and while the tree of a large
 * archive is unpacked each small batch would be judged under all that waits. A batch that comes a moment
 * later does the work of many. Waiting loses nothing: what waits is in the log. Others see what a program at full
 * speed does a second later at most.
 */
export class QuietMoments {
  readonly #nowMs: () => number;
  /** Where nothing is changed until then, programs have paused. */
  #quietAtMs = -Infinity;
  /** When the last changes were made, in turn. */
  readonly #changesMs = new Float64Array(BURST_CHANGES).fill(-Infinity);
  #changes = 0;
  #turnUntilMs = -Infinity;
  #lookedMs = -Infinity;

  /** @param nowMs a clock that never goes back */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** A program has changed something. @param isNewFile it has made a file */
  note(isNewFile = false): void {
    const nowMs = this.#nowMs();
    this.#quietAtMs = nowMs + (isNewFile ? NEW_FILE_MS : QUIET_MS);
    this.#changesMs[this.#changes % BURST_CHANGES] = nowMs;
    this.#changes += 1;
  }

  /** Programs were answered for so long, one request after the other. */
  noteAnswered(durationMs: number): void {
    if (durationMs >= BUSY_MS) this.note();
  }

  /** Resolves when programs pause, after a second at the latest, or when the signal ends it. */
  async wait(signal: AbortSignal): Promise<void> {
    await this.#waitUntil(() => Math.max(this.#quietAtMs, this.#burstEndMs), signal);
  }

  /** The same for what may be done between two changes, if only they are few: who saves one file waits for that. */
  async waitForBurst(signal: AbortSignal): Promise<void> {
    await this.#waitUntil(() => this.#burstEndMs, signal);
  }

  /** @param endMs when the wait is over, from what is known by then */
  async #waitUntil(endMs: () => number, signal: AbortSignal): Promise<void> {
    const startMs = this.#nowMs();
    if (startMs >= this.#lookedMs + UNSEEN_MS) await this.#look();
    for (let nowMs = this.#nowMs(); !signal.aborted; nowMs = this.#nowMs()) {
      const leftMs = endMs() - nowMs;
      if (leftMs <= 0 || nowMs < this.#turnUntilMs) return;
      if (nowMs >= startMs + LONGEST_MS) this.#turnUntilMs = nowMs + TURN_MS;
      else {
        // oxlint-disable-next-line no-await-in-loop -- one look after another
        await delay(Math.min(LOOK_MS, Math.ceil(leftMs)));
        // oxlint-disable-next-line no-await-in-loop
        await this.#look();
      }
    }
  }

  /** Who asked while this process did something else is answered first, and is noted. */
  async #look(): Promise<void> {
    await yieldToRequests();
    this.#lookedMs = this.#nowMs();
  }

  /** When it is known that the last changes were not made at full speed, or are over. */
  get #burstEndMs(): number {
    return this.#changesMs[this.#changes % BURST_CHANGES]! + BURST_MS;
  }
}
