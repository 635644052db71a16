import { Worker } from "node:worker_threads";

import type { RaisedAt, RaisedEvent } from "./raise-event.ts";

/** What the worker is asked, one at a time, and what it answers; first of all its number. */
export type WatcherRequest =
  | { readonly kind: "find"; readonly at: RaisedAt }
  | { readonly kind: "raise"; readonly at: RaisedAt; readonly event: RaisedEvent };
export interface WatcherAnswer {
  readonly thread?: number;
  readonly found?: Found;
  readonly error?: string;
}

export interface Found {
  /** By their inode numbers. */
  readonly watched: ReadonlySet<bigint>;
  readonly tookMs: number;
}

/** It keeps nothing from one question to the next. */
const MEMORY = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

const ENDED = "the thread has ended";

/** The thread of watcher-worker.ts, which is there from the first use on. */
export class WatcherThread implements AsyncDisposable {
  readonly #onThread: (thread: number) => void;
  #worker: Worker | undefined;
  #started: Promise<Worker | undefined> | undefined;
  #waiting: ((answer: WatcherAnswer) => void) | undefined;

  /** @param onThread is given its number, as FUSE requests have it, before it asks for anything; 0 when it has ended */
  constructor(onThread: (thread: number) => void) {
    this.#onThread = onThread;
  }

  /** Which inodes are watched, and how long it took to find that. @throws Error where it cannot be known */
  async find(at: RaisedAt): Promise<Found> {
    const { found, error } = await this.#ask({ kind: "find", at });
    if (found === undefined) throw new Error(`Cannot find who watches: ${error}`);
    return found;
  }

  /** Has an event raised; undefined where that was done, else why it could not be. */
  async raise(at: RaisedAt, event: RaisedEvent): Promise<string | undefined> {
    return (await this.#ask({ kind: "raise", at, event })).error;
  }

  /** To be called when the mount is gone: until then it may wait for an answer of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
  }

  async #ask(request: WatcherRequest): Promise<WatcherAnswer> {
    this.#started ??= this.#start();
    const worker = await this.#started;
    if (worker === undefined || worker !== this.#worker) return { error: ENDED };
    const answer = this.#answer();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
    worker.postMessage(request);
    return await answer;
  }

  /** Undefined where it has ended before it could be asked. */
  async #start(): Promise<Worker | undefined> {
    // The file runs as it is from source and as it is built; its name is the only difference.
    const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
    const worker = new Worker(new URL(`./watcher-worker${extension}`, import.meta.url), {
      // It opens and closes descriptors by calls that Node does not count.
      trackUnmanagedFds: false,
      resourceLimits: MEMORY,
    });
    this.#worker = worker;
    worker.unref();
    worker.on("message", (answer: WatcherAnswer) => this.#waiting?.(answer));
    const end = (error: string): void => {
      this.#worker = undefined;
      this.#started = undefined;
      this.#onThread(0);
      this.#waiting?.({ error });
    };
    worker.on("error", ({ message }) => end(message));
    worker.on("exit", () => end(ENDED));
    const { thread } = await this.#answer();
    if (thread === undefined) return undefined;
    this.#onThread(thread);
    return worker;
  }

  #answer(): Promise<WatcherAnswer> {
    const { promise, resolve } = Promise.withResolvers<WatcherAnswer>();
    this.#waiting = resolve;
    return promise;
  }
}
