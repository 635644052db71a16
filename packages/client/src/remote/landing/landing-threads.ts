import { Worker } from "node:worker_threads";

import { Landed } from "../../sync/push/landed.ts";
import type { LandingEnd, LandingNews, LandingOrder } from "./landing.ts";

/** One for each core of a small machine: more bring nothing, and each takes some MB while it is there. */
const MOST_THREADS = 2;

/** A thread that nobody has used for so long is let go. */
const IDLE_MS = 10_000;

/** An order without what the thread is told to end by. */
export type Landing = Omit<LandingOrder, "stop">;

/** The threads that receive contents past the event loop. They are started when they are wanted first. */
export class LandingThreads implements AsyncDisposable {
  readonly #threads = new Set<LandingThread>();

  get hasFree(): boolean {
    return (
      this.#threads.size < MOST_THREADS || Array.from(this.#threads).some(({ isFree }) => isFree)
    );
  }

  /** One that is free, and its caller's until it is given back; undefined where all are in use. */
  take(): LandingThread | undefined {
    for (const thread of this.#threads) {
      if (thread.isFree) return thread.taken();
    }
    if (this.#threads.size >= MOST_THREADS) return undefined;
    const thread = new LandingThread(() => this.#threads.delete(thread));
    this.#threads.add(thread);
    return thread.taken();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Array.from(this.#threads, (thread) => thread.end()));
  }
}

export class LandingThread implements Disposable {
  readonly #worker: Worker;
  readonly #onEnd: () => void;
  /** What it said and nobody has asked for yet. */
  #news: LandingNews[] = [];
  #changed = Promise.withResolvers<void>();
  #isFree = true;
  #isReady = false;
  #failure: Error | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
    // The file runs as it is from source and as it is built; its name is the only difference.
    const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
    this.#worker = new Worker(new URL(`./landing-worker${extension}`, import.meta.url));
    this.#worker.unref();
    this.#worker.on("message", (news: LandingNews) => {
      if (news === "ready") this.#isReady = true;
      else this.#news.push(news);
      this.#changed.resolve();
    });
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(new Error("Cannot receive: the thread has ended")));
  }

  get isFree(): boolean {
    return this.#isFree;
  }

  /** It runs, and takes an order at once. */
  get isReady(): boolean {
    return this.#isReady && this.#failure === undefined;
  }

  taken(): this {
    clearTimeout(this.#idle);
    this.#isFree = false;
    return this;
  }

  /**
   * Has it receive, and yields what is written. Whoever leaves early waits until the thread has let go of both
   * descriptors.
   *
   * @returns how it ended; "stopped" where the signal was aborted
   * @throws where the thread itself has ended
   */
  async *land(landing: Landing, signal?: AbortSignal): AsyncGenerator<Landed, LandingEnd> {
    const stop = new SharedArrayBuffer(4);
    const end = (): void => void Atomics.store(new Int32Array(stop), 0, 1);
    this.#news = [];
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
    this.#worker.postMessage({ ...landing, stop } satisfies LandingOrder);
    signal?.addEventListener("abort", end, { once: true });
    if (signal?.aborted === true) end();
    let ended: LandingEnd | undefined;
    try {
      while (ended === undefined) {
        // oxlint-disable-next-line no-await-in-loop -- as it comes
        const news = await this.#next();
        if (typeof news === "number") yield new Landed(news);
        else ended = news;
      }
      return ended;
    } finally {
      end();
      // oxlint-disable-next-line no-await-in-loop -- what is written until then, nobody is told of
      while (ended === undefined && this.#failure === undefined) ended = await this.#lastOf();
      signal?.removeEventListener("abort", end);
    }
  }

  [Symbol.dispose](): void {
    this.#isFree = true;
    this.#idle = setTimeout(() => void this.end(), IDLE_MS).unref();
  }

  async end(): Promise<void> {
    clearTimeout(this.#idle);
    this.#onEnd();
    await this.#worker.terminate();
  }

  /** All pieces that have come meanwhile are one. */
  async #next(): Promise<number | LandingEnd> {
    for (;;) {
      let bytes = 0;
      while (typeof this.#news[0] === "number") bytes += this.#news.shift() as number;
      if (bytes > 0) return bytes;
      const end = this.#news.shift() as LandingEnd | undefined;
      if (end !== undefined) return end;
      if (this.#failure !== undefined) throw this.#failure;
      this.#changed = Promise.withResolvers();
      // oxlint-disable-next-line no-await-in-loop -- until something is said
      await this.#changed.promise;
    }
  }

  async #lastOf(): Promise<LandingEnd | undefined> {
    try {
      const news = await this.#next();
      return typeof news === "number" ? undefined : news;
    } catch {
      return undefined;
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#onEnd();
    this.#changed.resolve();
  }
}
