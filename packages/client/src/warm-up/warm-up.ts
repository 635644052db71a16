/**
 * Has the code that answers programs run, soon after the start and while nobody asks: V8 compiles what runs often, and
 * until it has, a request takes two to three times as long (docs/decisions/0021). So the first archive that is
 * unpacked on a mount is not the one that pays.
 *
 * All of it goes through the driver, the filter, the cache and the own log as requests of the kernel do, on a cache of
 * its own beside the real one. It waits for programs, and nothing waits for it. A crash leaves a directory in the
 * cache that the next start removes.
 */
import { closeSync, openSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as yieldToRequests, setTimeout as delay } from "node:timers/promises";

import type { InodeForm } from "../cache/inode/inode-form.ts";
import { serveKernel } from "../fuse/kernel/kernel-driver.ts";
import { useFiles } from "./file-script.ts";
import { openScratchCache } from "./scratch-cache.ts";
import { ScriptedKernel } from "./scripted-kernel.ts";

/** After as many V8 has compiled nearly all that it will. */
const FILES = 1_500;

/** A program that asks meanwhile waits for as many requests at most, some tenths of a millisecond. */
const REQUESTS_AT_ONCE = 8;

/** Nobody has asked for so long: programs have paused. */
const IDLE_MS = 100;

/** Programs that were answered for so long without a pause have warmed up what they need. */
const WARM_MS = 300;

/** Less free space than this belongs to programs, and to what waits for the server. */
const NEEDED_BYTES = 256 * 1024 * 1024;

export interface WarmUpOptions {
  readonly cacheDir: string;
  readonly form: InodeForm;
  /** Something else keeps this process busy that somebody waits for, as a replica that is being made. */
  readonly isBusy: () => boolean;
  /** Nothing depends on it, and nothing is repeated. */
  readonly onError: (error: unknown) => void;
}

export class WarmUp implements AsyncDisposable {
  readonly #options: WarmUpOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #answeredMs = 0;
  #lastAnswerMs = performance.now();

  /** Begins when programs have paused for a moment. */
  constructor(options: WarmUpOptions) {
    this.#options = options;
    this.#done = this.#run().catch((error: unknown) => options.onError(error));
  }

  /** Settles when there is nothing more to do. It never rejects. */
  get done(): Promise<void> {
    return this.#done;
  }

  /** Programs were answered for so long, one request after the other. */
  noteAnswered(durationMs: number): void {
    this.#answeredMs += durationMs;
    this.#lastAnswerMs = performance.now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { cacheDir, form } = this.#options;
    if (!(await this.#untilIdle()) || freeBytes(cacheDir) < NEEDED_BYTES) return;
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    await using stack = new AsyncDisposableStack();
    const cache = stack.use(await openScratchCache(join(cacheDir, "warm-up"), form, onError));
    const nowhere = openSync("/dev/null", "w");
    stack.defer(() => closeSync(nowhere));
    const kernel = new ScriptedKernel(useFiles(FILES), nowhere);
    const serving = serveKernel(cache.fileSystem, cacheDir, kernel, {
      onSent: () => cache.showRecorded(),
      onError,
      spinMicroseconds: 0,
      quickWake: "off",
    });
    kernel.turn(REQUESTS_AT_ONCE);
    stack.use(await serving);
    // oxlint-disable-next-line no-await-in-loop -- one turn after another, programs in between
    while (!kernel.isDone && errors.length === 0 && (await this.#untilIdle())) {
      kernel.turn(REQUESTS_AT_ONCE);
    }
    if (errors.length > 0) throw errors[0];
  }

  /** Resolves when programs pause: with false where it shall end, or is needed no more. */
  async #untilIdle(): Promise<boolean> {
    await yieldToRequests();
    const { signal } = this.#stop;
    while (!signal.aborted && this.#answeredMs < WARM_MS) {
      const leftMs = this.#lastAnswerMs + IDLE_MS - performance.now();
      if (leftMs <= 0 && !this.#options.isBusy()) return true;
      // oxlint-disable-next-line no-await-in-loop -- one look after another
      await delay(Math.max(leftMs, IDLE_MS / 4), undefined, { signal }).catch(() => {});
    }
    return false;
  }
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}
