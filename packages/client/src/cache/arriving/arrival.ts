/**
 * A content on its way into the cache, that programs can read while it comes: one stream from the first
 * missing byte on, and another where somebody reads ahead of it.
 *
 * Whoever reads is given bytes before the hash of all is known. Should it be wrong in the end, nothing of
 * it becomes content of the cache, and those readers get errors from then on. Nothing here is durable; what
 * a crash leaves of the file is gone on with (see `partial-file.ts`), and checked as a whole.
 */
import { constants, openSync } from "node:fs";

import type { Sha256 } from "@izo/core";

import type { GrowingHash } from "../../sync/hash-file.ts";
import type { ContentSource } from "../content-source.ts";
import { isDiskFull } from "../disk-full.ts";
import { WrongContentError } from "../download.ts";
import type { PartialFile } from "./partial-file.ts";
import { PieceWriter } from "./piece-writer.ts";
import type { Span } from "./presence-map.ts";

/** What has come in order is hashed in such parts. */
const HASH_AT_ONCE_BYTES = 4 * 1024 * 1024;

/** Streams of one content at once: one that goes on, and two for those who read elsewhere. */
const MOST_STREAMS = 3;

/** Who wants bytes so close ahead of a stream waits for it: a new one would not be there sooner. */
const NEAR_BYTES = 1024 * 1024;

/**
 * How much is asked for where somebody begins to read elsewhere: many look at the end of a file and go
 * back. Who reads on behind it is followed to the end.
 */
const LOOK_BYTES = 2 * 1024 * 1024;

export interface ArrivalOptions {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  readonly file: PartialFile;
  /** @throws what readers get while there is no server */
  readonly source: () => ContentSource;
  /** What an error of the source, or the loss of it, means to those who wait. */
  readonly failureOf: (error: unknown, source: ContentSource | undefined) => unknown;
  /** Begins to take the hash of the file, elsewhere than on the event loop. */
  readonly follow: (fd: number) => GrowingHash;
  /** The disk is full: tries to make room. Resolves with whether there is some. */
  readonly reclaim: (bytes: number) => Promise<boolean>;
  /** Ask past all caches: what they gave had another hash. */
  readonly bypassCaches: boolean;
  readonly signal: AbortSignal;
}

interface Stream {
  /** Bytes before this one have come. */
  at: number;
  /** And before this one are written. */
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

export class Arrival {
  readonly sha256: Sha256;
  readonly #options: ArrivalOptions;
  readonly #file: PartialFile;
  readonly #streams = new Set<Stream>();
  readonly #waiters = new Set<Waiter>();
  readonly #begun = Promise.withResolvers<void>();
  /** Ends of the ranges that were asked for where somebody looked: who wants what follows reads on. */
  readonly #lookEnds = new Set<number>();
  #hash: GrowingHash | undefined;
  /** How far that was told to go. */
  #hashedBytes = 0;
  #running: Promise<void> | undefined;
  #ended = Promise.withResolvers<void>();
  #failure: unknown;
  #verdict: "right" | "wrong" | "none" = "none";
  #readers = 0;

  constructor(options: ArrivalOptions) {
    this.sha256 = options.sha256;
    this.#options = options;
    this.#file = options.file;
    this.#begun.promise.catch(() => {});
  }

  get path(): string {
    return this.#file.path;
  }

  /** Resolves when the source has begun to give: from here on there is something to read. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  get isWrong(): boolean {
    return this.#verdict === "wrong";
  }

  /** No reader waits any more, whatever it asks for. */
  get isSettled(): boolean {
    return this.#verdict !== "none";
  }

  get hasReaders(): boolean {
    return this.#readers > 0;
  }

  /** A descriptor for one who reads; to be given back with {@link closeReader}. */
  openReader(): number {
    const fd = openSync(`/proc/self/fd/${this.#file.fd}`, constants.O_RDONLY);
    this.#readers += 1;
    return fd;
  }

  closeReader(): void {
    this.#readers -= 1;
  }

  /** Whether these bytes can be read now. */
  has(start: number, end: number): boolean {
    return this.#file.map.has(start, end);
  }

  /**
   * Resolves when these bytes can be read.
   *
   * @throws what has ended the fetch before; the reason of `signal`
   */
  async whenHere(start: number, end: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.has(start, end)) return;
    if (!this.isRunning) throw this.#failure ?? new Error("Cannot wait: nothing is being fetched");
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { start, end, resolve, reject };
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    this.#waiters.add(waiter);
    try {
      this.#direct();
      await promise;
    } finally {
      this.#waiters.delete(waiter);
      signal.removeEventListener("abort", abort);
    }
  }

  /**
   * Fetches what is missing, and checks all. Calls share one run; after a failed one it can be called
   * again.
   *
   * @throws WrongContentError; what `failureOf` makes of the source's errors; the disk's errors
   */
  run(): Promise<void> {
    this.#running ??= this.#fetchAll();
    return this.#running;
  }

  /** Ends what is under way; `error` is for those who wait. What is here can be gone on with. */
  async stop(error: unknown): Promise<void> {
    this.#failure ??= error;
    for (const { abort } of this.#streams) abort.abort();
    this.#direct();
    try {
      await this.#running;
    } catch {
      // Those who wait are told.
    }
  }

  /** The file has become the content of an inode of the cache. */
  release(): void {
    this.#file.forget();
  }

  /** Nobody wants it any more; who reads it keeps what is here. Not while it is running. */
  remove(): void {
    this.#dropHash();
    this.#file.remove();
  }

  /** Another one goes on with what is here. Not while it is running. */
  [Symbol.dispose](): void {
    this.#dropHash();
    this.#file[Symbol.dispose]();
  }

  async #fetchAll(): Promise<void> {
    try {
      await this.#fetchMissing();
      await this.#check();
    } finally {
      // Before anybody learns of it, and perhaps tries again.
      this.#running = undefined;
      const failure = this.#failure ?? new Error("Cannot wait: nothing is being fetched");
      this.#begun.reject(failure);
      for (const { reject } of this.#waiters) reject(failure);
    }
  }

  async #fetchMissing(): Promise<void> {
    for (let isReclaimed = false; ;) {
      this.#failure = undefined;
      this.#ended = Promise.withResolvers();
      // Synchronous up to the requests: who calls run() can wait for bytes at once.
      this.#direct();
      // oxlint-disable-next-line no-await-in-loop -- twice at most
      await this.#ended.promise;
      this.#save();
      if (this.#failure === undefined) return;
      if (isReclaimed || !isDiskFull(this.#failure, this.path)) throw this.#failure;
      // oxlint-disable-next-line no-await-in-loop
      isReclaimed = await this.#reclaim();
      if (!isReclaimed) throw this.#failure;
    }
  }

  #reclaim(): Promise<boolean> {
    return this.#options.reclaim(this.#options.sizeBytes - this.#file.map.presentBytes);
  }

  /** On a full disk the map stays as it was: it names less than is here. */
  #save(): void {
    try {
      this.#file.save();
    } catch (error) {
      this.#failure ??= error;
    }
  }

  async #check(): Promise<void> {
    const { sha256, sizeBytes, follow } = this.#options;
    using hash = this.#hash ?? follow(this.#file.fd);
    this.#hash = undefined;
    const received = await hash.finish(sizeBytes);
    this.#verdict = received === sha256 ? "right" : "wrong";
    if (this.#verdict === "wrong") throw new WrongContentError(sha256, received);
  }

  /** Answers those who wait, sees to it that what they wait for comes, and that something comes at all. */
  #direct(): void {
    this.#answer();
    if (this.#failure === undefined) {
      for (const waiter of this.#waiters) this.#serve(waiter);
      if (this.#streams.size === 0) this.#fill();
    }
    if (this.#streams.size === 0) this.#ended.resolve();
  }

  /** After a failure those go on waiting for whom a stream is still on its way. */
  #answer(): void {
    const failure = this.#failure;
    const hasFailed = failure !== undefined && !isDiskFull(failure, this.path);
    for (const waiter of this.#waiters) {
      const hole = this.#holeOf(waiter);
      if (hole === undefined) waiter.resolve();
      else if (hasFailed && !this.#hasStream(hole.start, Infinity)) waiter.reject(failure);
    }
  }

  #holeOf({ start, end }: Waiter): Span | undefined {
    const hole = this.#file.map.holeFrom(start);
    return hole !== undefined && hole.start < end ? hole : undefined;
  }

  /** Sees to it that the first missing byte of what somebody waits for comes soon. */
  #serve(waiter: Waiter): void {
    const hole = this.#holeOf(waiter);
    if (hole === undefined || this.#hasStream(hole.start, NEAR_BYTES)) return;
    const isFollowed = this.#lookEnds.delete(hole.start);
    // The fetch goes on from where somebody reads on.
    if (isFollowed) for (const { abort } of this.#unwanted()) abort.abort();
    const isLong = isFollowed || this.#streams.size === 0;
    if (!isFollowed && this.#streams.size >= MOST_STREAMS) {
      // When one ends, this is asked again. Those that are short end soon by themselves.
      if (this.#areAllLong()) this.#unwanted()[0]?.abort.abort();
      return;
    }
    const end = isLong ? hole.end : Math.min(hole.end, hole.start + LOOK_BYTES);
    if (end < hole.end) this.#lookEnds.add(end);
    void this.#stream(hole.start, end);
  }

  #areAllLong(): boolean {
    return [...this.#streams].every(({ at, end }) => end - at > LOOK_BYTES);
  }

  /** Whether a stream brings this byte that has at most so far to go. */
  #hasStream(at: number, withinBytes: number): boolean {
    return [...this.#streams].some((stream) => isOnTheWay(stream, at, withinBytes));
  }

  /** Streams that nobody waits for. */
  #unwanted(): Stream[] {
    const holes = Array.from(this.#waiters, (waiter) => this.#holeOf(waiter));
    const wanted = holes.filter((hole) => hole !== undefined);
    return Array.from(this.#streams).filter(
      (stream) => !wanted.some(({ start }) => isOnTheWay(stream, start, NEAR_BYTES)),
    );
  }

  /** Nobody waits for anything in particular: what is missing, from the front. */
  #fill(): void {
    const hole = this.#file.map.holeFrom(0);
    if (hole !== undefined) void this.#stream(hole.start, hole.end);
  }

  async #stream(start: number, end: number): Promise<void> {
    const stream: Stream = { at: start, writtenAt: start, end, abort: new AbortController() };
    this.#streams.add(stream);
    let source: ContentSource | undefined;
    try {
      source = this.#options.source();
      await this.#receive(source, stream);
    } catch (error) {
      // One that was ended because it was of no use any more is no failure.
      if (!stream.abort.signal.aborted)
        this.#failure ??= this.#options.failureOf(error, source) ?? error;
    } finally {
      this.#streams.delete(stream);
      this.#direct();
    }
  }

  async #receive(source: ContentSource, stream: Stream): Promise<void> {
    const { sha256, sizeBytes, bypassCaches, signal } = this.#options;
    const { map } = this.#file;
    const { at: offsetBytes, end: endBytes } = stream;
    const ends = [signal, stream.abort.signal, ...(source.lost === undefined ? [] : [source.lost])];
    const asked = {
      offsetBytes,
      ...(endBytes < sizeBytes && { endBytes }),
      presentBytes: map.presentBytes,
      bypassCaches,
    };
    const content = await source.fetchContent(sha256, asked, AbortSignal.any(ends));
    if (content.sizeBytes !== sizeBytes) throw this.#tooMuch();
    this.#begun.resolve();
    const writer = new PieceWriter(this.#file, offsetBytes, (at) => {
      stream.writtenAt = at;
      this.#noteWritten();
    });
    try {
      for await (const piece of content.bytes) {
        stream.abort.signal.throwIfAborted();
        if (stream.at + piece.length > endBytes) throw this.#tooMuch();
        stream.at += piece.length;
        await writer.add(piece);
        // Another stream was here before.
        if (stream.at < endBytes && map.has(stream.at, stream.at + 1)) break;
      }
      await writer.flush();
    } finally {
      // The file can be closed, or be somebody's, as soon as its streams have ended.
      await writer.settled();
    }
  }

  /** Of a content of another size nothing is taken: whoever sends it could go on until the disk is full. */
  #tooMuch(): WrongContentError {
    const { sha256, sizeBytes } = this.#options;
    return new WrongContentError(sha256, `of more or less than ${sizeBytes} bytes`);
  }

  #noteWritten(): void {
    const { sizeBytes, follow } = this.#options;
    const inOrder = this.#file.map.holeFrom(0)?.start ?? sizeBytes;
    if (inOrder - this.#hashedBytes >= HASH_AT_ONCE_BYTES) {
      this.#hashedBytes = inOrder;
      this.#hash ??= follow(this.#file.fd);
      this.#hash.advance(inOrder);
    }
    this.#direct();
  }

  /** What was hashed of it is of no use to the next one. */
  #dropHash(): void {
    this.#hash?.[Symbol.dispose]();
    this.#hash = undefined;
    this.#hashedBytes = 0;
  }
}

function isOnTheWay(stream: Stream, at: number, withinBytes: number): boolean {
  return at >= stream.writtenAt && at < stream.end && at - stream.at <= withinBytes;
}
