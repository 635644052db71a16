/**
 * A content on its way into the cache, that programs can read while it comes.
 *
 * Whoever reads is given bytes before the hash of all is known. Should it be wrong in the end, nothing of
 * it becomes content of the cache, and those readers get errors from then on. Nothing here is durable; what
 * a crash leaves of the file is gone on with (see `partial-file.ts`), and checked as a whole.
 */
import { constants, openSync } from "node:fs";

import type { Sha256 } from "@izo/core";

import type { GrowingHash } from "../../sync/seal/hash-file.ts";
import type { ContentSource } from "../content/content-source.ts";
import { WrongContentError } from "../content/download.ts";
import { isDiskFull } from "../quota/disk-full.ts";
import type { PartialFile } from "./partial-file.ts";
import { PieceWriter } from "./piece-writer.ts";
import { type Stream, Streams } from "./streams.ts";

/** What has come in order is hashed in such parts. */
const HASH_AT_ONCE_BYTES = 4 * 1024 * 1024;

/**
 * What is shorter gains nothing from a thread and a connection of its own, whose first bytes come as slowly as those of any
 * new one.
 */
const SMALLEST_LANDING_BYTES = 8 * 1024 * 1024;

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

export class Arrival {
  readonly sha256: Sha256;
  readonly #options: ArrivalOptions;
  readonly #file: PartialFile;
  readonly #streams: Streams;
  readonly #begun = Promise.withResolvers<void>();
  #hash: GrowingHash | undefined;
  /** How far that was told to go. */
  #hashedBytes = 0;
  #running: Promise<void> | undefined;
  #isAwaited = false;
  #failure: unknown;
  #verdict: "right" | "wrong" | "none" = "none";
  #readers = 0;

  constructor(options: ArrivalOptions) {
    this.sha256 = options.sha256;
    this.#options = options;
    this.#file = options.file;
    this.#streams = new Streams({
      map: options.file.map,
      bring: (stream) => this.#bring(stream),
      isPassing: (failure) => isDiskFull(failure, this.path),
    });
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

  /** Somebody can begin to read it: it is neither settled nor left. */
  get isReadable(): boolean {
    return !this.isSettled && !this.#file.isClosed;
  }

  get hasReaders(): boolean {
    return this.#readers > 0;
  }

  /** A descriptor for one who reads, while it is readable; to be given back with {@link closeReader}. */
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
    if (!this.isRunning) throw this.#failure ?? notFetched();
    await this.#streams.whenHere(start, end, signal);
  }

  /**
   * Fetches what is missing, and checks all. Calls share one run; after a failed one it can be called
   * again.
   *
   * @param isAwaited a program waits for the run
   * @throws WrongContentError; what `failureOf` makes of the source's errors; the disk's errors
   */
  run(isAwaited = false): Promise<void> {
    this.#isAwaited ||= isAwaited;
    this.#running ??= this.#fetchAll();
    return this.#running;
  }

  /** Ends what is under way; `failure` is for those who wait. What is here can be gone on with. */
  async stop(failure: unknown): Promise<void> {
    if (this.#running === undefined) return;
    this.#streams.stop(failure);
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
    } catch (error) {
      if (error instanceof WrongContentError) this.#verdict = "wrong";
      this.#failure = error;
      throw error;
    } finally {
      // Before anybody learns of it, and perhaps tries again.
      this.#running = undefined;
      const failure = this.#failure ?? notFetched();
      this.#begun.reject(failure);
      this.#streams.rejectAll(failure);
    }
  }

  /** A full disk is a reason to try once more, when there is room. */
  async #fetchMissing(): Promise<void> {
    try {
      await this.#streams.run();
    } catch (error) {
      if (!isDiskFull(error, this.path) || !(await this.#reclaim())) throw error;
      await this.#streams.run();
    } finally {
      this.#save();
    }
  }

  #reclaim(): Promise<boolean> {
    return this.#options.reclaim(this.#options.sizeBytes - this.#file.map.presentBytes);
  }

  /** On a full disk the map stays as it was: it names less than is here. */
  #save(): void {
    try {
      this.#file.save();
    } catch {
      // It costs the next process a part of the fetch, and this one nothing.
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

  async #bring(stream: Stream): Promise<void> {
    let source: ContentSource | undefined;
    try {
      source = this.#options.source();
      await this.#receive(source, stream);
    } catch (error) {
      // That is this fetch's to know: it is done once more.
      throw error instanceof WrongContentError ? error : this.#options.failureOf(error, source);
    }
  }

  async #receive(source: ContentSource, stream: Stream): Promise<void> {
    const { sha256, sizeBytes, bypassCaches, signal } = this.#options;
    const { map } = this.#file;
    const { at: offsetBytes, end: endBytes } = stream;
    // Ends an answer of which nothing is wanted any more.
    const ended = new AbortController();
    const ends = [signal, stream.abort.signal, ended.signal];
    if (source.lost !== undefined) ends.push(source.lost);
    const asked = {
      offsetBytes,
      ...(endBytes < sizeBytes && { endBytes }),
      presentBytes: () => map.presentBytes,
      isAwaited: this.#isAwaited || this.hasReaders,
      bypassCaches,
    };
    const any = AbortSignal.any(ends);
    const content =
      source.landContent !== undefined && endBytes - offsetBytes >= SMALLEST_LANDING_BYTES
        ? await source.landContent(sha256, this.#file.fd, asked, any)
        : await source.fetchContent(sha256, asked, any);
    if (content.sizeBytes !== sizeBytes) {
      ended.abort();
      throw this.#wrongSize();
    }
    this.#begun.resolve();
    const writer = new PieceWriter(this.#file, offsetBytes, (at) => {
      stream.writtenAt = at;
      this.#noteWritten();
    });
    try {
      for await (const piece of content.bytes) {
        stream.abort.signal.throwIfAborted();
        if (stream.at + piece.length > endBytes) throw this.#wrongSize();
        stream.at += piece.length;
        await writer.add(piece);
        // Another stream was here before.
        if (stream.at < endBytes && map.has(stream.at, stream.at + 1)) break;
      }
      await writer.flush();
      if (stream.at < endBytes && !map.has(stream.at, stream.at + 1)) throw this.#wrongSize();
    } finally {
      // The file can be closed, or be somebody's, as soon as its streams have ended.
      await writer.settled();
    }
  }

  /** Of a content of another size nothing is taken: whoever sends it could go on until the disk is full. */
  #wrongSize(): WrongContentError {
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
    this.#streams.direct();
  }

  /** What was hashed of it is of no use to the next one. */
  #dropHash(): void {
    this.#hash?.[Symbol.dispose]();
    this.#hash = undefined;
    this.#hashedBytes = 0;
  }
}

function notFetched(): Error {
  return new Error("Cannot wait: nothing is being fetched");
}
