/**
 * Decides which ranges of a content are asked for, and tells those who wait when their bytes are here: one
 * stream from the first missing byte on, a short look where somebody begins to read elsewhere, and a long
 * one from there when he reads on. What was left out comes in the end.
 *
 * It knows no source and no disk: what a stream brings, and how, is its owner's.
 */
import type { PresenceMap, Span } from "./presence-map.ts";

/** Streams of one content at once: one that goes on, and two for those who read elsewhere. */
const MOST_STREAMS = 3;

/** Who wants bytes so close ahead of a stream waits for it: a new one would not be there sooner. */
const NEAR_BYTES = 1024 * 1024;

/**
 * How much is asked for where somebody begins to read elsewhere: many look at the end of a file and go
 * back. Who reads on behind it is followed to the end.
 */
const LOOK_BYTES = 2 * 1024 * 1024;

/** A range that is being fetched. Its owner moves `at` and `writtenAt`, and stops when `abort` says so. */
export interface Stream {
  /** Bytes before this one have come. */
  at: number;
  /** And before this one are in the map. */
  writtenAt: number;
  readonly end: number;
  readonly abort: AbortController;
}

interface Waiter {
  readonly start: number;
  readonly end: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface StreamsOptions {
  readonly map: PresenceMap;
  /** Brings a stream to its end, or fails. */
  readonly bring: (stream: Stream) => Promise<void>;
  /** After such a failure there may be another run: those who wait are not told yet. */
  readonly isPassing: (failure: unknown) => boolean;
}

export class Streams {
  readonly #options: StreamsOptions;
  readonly #running = new Set<Stream>();
  readonly #waiters = new Set<Waiter>();
  /** Ends of the ranges that were asked for where somebody looked: who wants what follows reads on. */
  readonly #lookEnds = new Set<number>();
  #ended = Promise.withResolvers<void>();
  #failure: unknown;

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  /** Resolves when nothing is missing and nothing is under way. @throws the first failure, as soon as that is so */
  async run(): Promise<void> {
    this.#failure = undefined;
    this.#ended = Promise.withResolvers();
    // Synchronous up to the requests: who calls run() can wait for bytes at once.
    this.direct();
    await this.#ended.promise;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves when the bytes are here. While nothing runs it is not to be called. @throws a failure; the signal's reason */
  async whenHere(start: number, end: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { start, end, resolve, reject };
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    this.#waiters.add(waiter);
    try {
      this.direct();
      await promise;
    } finally {
      this.#waiters.delete(waiter);
      signal.removeEventListener("abort", abort);
    }
  }

  /** Ends what is under way, as failed. */
  stop(failure: unknown): void {
    this.#failure ??= failure;
    for (const { abort } of this.#running) abort.abort();
    this.direct();
  }

  /** Nobody waits any more. */
  rejectAll(failure: unknown): void {
    for (const { reject } of this.#waiters) reject(failure);
  }

  /**
   * Answers those who wait, sees to it that what they wait for comes, and that something comes at all. To be
   * called when bytes have come.
   */
  direct(): void {
    this.#answer();
    if (this.#failure === undefined) {
      for (const waiter of this.#waiters) this.#serve(waiter);
      if (this.#running.size === 0) this.#fill();
    }
    if (this.#running.size === 0) this.#ended.resolve();
  }

  /** After a failure those go on waiting for whom a stream is still on its way. */
  #answer(): void {
    const failure = this.#failure;
    const hasFailed = failure !== undefined && !this.#options.isPassing(failure);
    for (const waiter of this.#waiters) {
      const hole = this.#holeOf(waiter);
      if (hole === undefined) waiter.resolve();
      else if (hasFailed && !this.#isComing(hole.start, Infinity)) waiter.reject(failure);
    }
  }

  /** Sees to it that the first missing byte of what somebody waits for comes soon. */
  #serve(waiter: Waiter): void {
    const hole = this.#holeOf(waiter);
    if (hole === undefined || this.#isComing(hole.start, NEAR_BYTES)) return;
    const isFollowed = this.#lookEnds.delete(hole.start);
    // The fetch goes on from where somebody reads on.
    if (isFollowed) for (const { abort } of this.#unwanted()) abort.abort();
    const isLong = isFollowed || this.#running.size === 0;
    if (!isFollowed && this.#running.size >= MOST_STREAMS) {
      // When one ends, this is asked again. Those that are short end soon by themselves.
      if (this.#areAllLong()) this.#unwanted()[0]?.abort.abort();
      return;
    }
    const end = isLong ? hole.end : Math.min(hole.end, hole.start + LOOK_BYTES);
    if (end < hole.end) this.#lookEnds.add(end);
    void this.#begin(hole.start, end);
  }

  /** Nobody waits for anything in particular: what is missing, from the front. */
  #fill(): void {
    const hole = this.#options.map.holeFrom(0);
    if (hole !== undefined) void this.#begin(hole.start, hole.end);
  }

  async #begin(start: number, end: number): Promise<void> {
    const stream: Stream = { at: start, writtenAt: start, end, abort: new AbortController() };
    this.#running.add(stream);
    try {
      await this.#options.bring(stream);
    } catch (error) {
      // One that was ended because it was of no use any more is no failure.
      if (!stream.abort.signal.aborted) this.#failure ??= error;
    } finally {
      this.#running.delete(stream);
      this.direct();
    }
  }

  #holeOf({ start, end }: Waiter): Span | undefined {
    const hole = this.#options.map.holeFrom(start);
    return hole !== undefined && hole.start < end ? hole : undefined;
  }

  #areAllLong(): boolean {
    return [...this.#running].every(({ at, end }) => end - at > LOOK_BYTES);
  }

  /** Whether a stream brings this byte that has at most so far to go. */
  #isComing(at: number, withinBytes: number): boolean {
    return [...this.#running].some((stream) => isOnTheWay(stream, at, withinBytes));
  }

  /** Streams that nobody waits for. */
  #unwanted(): Stream[] {
    const holes = Array.from(this.#waiters, (waiter) => this.#holeOf(waiter));
    const wanted = holes.filter((hole) => hole !== undefined);
    return Array.from(this.#running).filter(
      (stream) => !wanted.some(({ start }) => isOnTheWay(stream, start, NEAR_BYTES)),
    );
  }
}

function isOnTheWay(stream: Stream, at: number, withinBytes: number): boolean {
  return at >= stream.writtenAt && at < stream.end && at - stream.at <= withinBytes;
}
