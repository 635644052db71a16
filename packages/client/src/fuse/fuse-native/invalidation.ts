/**
 * Notifications to the kernel (design C7).
 *
 * The binding writes them on a thread of its own, and the kernel makes that thread wait while a request
 * about the same directory is unanswered. Nothing here waits with it: requests go into this queue, a few
 * at a time to the binding, and the event loop stays free to answer the request that is in the way. As
 * no method under a directory lock can wait (see file-system.ts), the thread waits for one method; or, when
 * a file is unlinked while its open fetches, for that fetch. Then notifications are late, never lost.
 */
import { AsyncResource } from "node:async_hooks";
import { setTimeout as delay } from "node:timers/promises";

/** One entry to the kernel; `path` within the mount. */
export type NotifyEntry = (path: string) => Promise<void>;

/**
 * The binding looks up the parent's node with one stat on libuv's pool (4 threads) per notification;
 * more at once could leave none for other work while the kernel holds them up.
 */
const maxInFlight = 2;

/** The binding refuses the 1025th waiting notification; ours are far fewer, another user's may not be. */
const busyRetryMs = 5;
const maxBusyRetries = 200;

export class InvalidationQueue {
  readonly #notify: NotifyEntry;
  readonly #onError: (error: unknown) => void;
  readonly #waiting = new Set<string>();
  readonly #inFlight = new Set<string>();
  #idle: PromiseWithResolvers<void> | undefined;
  // The binding refuses notifications from within a request and tells by the async context, which
  // would follow a call from inside a FileSystem method into this queue. Made outside, it breaks that.
  readonly #outside = new AsyncResource("IzoFuseInvalidation", { requireManualDestroy: false });

  constructor(notify: NotifyEntry, onError: (error: unknown) => void) {
    this.#notify = notify;
    this.#onError = onError;
  }

  /** Asks for a notification. Equal ones that still wait are one; one that is under way is done again. */
  add(path: string): void {
    this.#waiting.add(path);
    this.#outside.runInAsyncScope(() => setImmediate(() => this.#pump()));
  }

  /** Resolves when nothing waits and nothing is under way. */
  async drained(): Promise<void> {
    if (this.#waiting.size === 0 && this.#inFlight.size === 0) return;
    this.#idle ??= Promise.withResolvers<void>();
    await this.#idle.promise;
  }

  /** The mount is gone: there is nobody to notify. */
  close(): void {
    this.#waiting.clear();
    this.#settle();
  }

  #pump(): void {
    for (const path of this.#waiting) {
      if (this.#inFlight.size >= maxInFlight) return;
      if (this.#inFlight.has(path)) continue;
      this.#waiting.delete(path);
      this.#inFlight.add(path);
      void this.#send(path);
    }
  }

  async #send(path: string): Promise<void> {
    try {
      await this.#sendPatiently(path);
    } catch (error) {
      this.#onError(error);
    }
    this.#inFlight.delete(path);
    this.#pump();
    this.#settle();
  }

  async #sendPatiently(path: string): Promise<void> {
    for (let retry = 0; ; retry += 1) {
      try {
        return await this.#notify(path);
      } catch (error) {
        const code = error instanceof Error && "code" in error ? error.code : undefined;
        // Not there (any more): the kernel holds nothing to invalidate.
        if (code === "ENOENT" || code === "ENOTDIR" || code === "ENOTCONN") return;
        if (code !== "EAGAIN" || retry === maxBusyRetries) throw error;
        await delay(busyRetryMs);
      }
    }
  }

  #settle(): void {
    if (this.#waiting.size > 0 || this.#inFlight.size > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}
