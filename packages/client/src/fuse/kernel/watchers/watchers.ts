/**
 * Tells the programs that watch a mount with inotify(7) of what others have changed: the kernel by itself raises
 * events only of what is done through the mount.
 *
 * The kernel does not say who watches what. So when something has changed, and not otherwise, it is looked up in
 * `/proc`; that takes milliseconds, of another thread, and is done once for all that comes meanwhile. Where nobody
 * watches that is the end of it.
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { setImmediate as nextTurn, setTimeout } from "node:timers/promises";

import { textToBytes } from "@izo/core";

import type { Attributes, FileSystem } from "../../file-system.ts";
import type { WatchedChange } from "../../watched-change.ts";
import type { HandlerContext, Handlers } from "../handler.ts";
import type { RaisedAt, RaisedEvent } from "./raise-event.ts";
import { StagedAnswers } from "./staged-answers.ts";
import { WatcherThread } from "./watcher-thread.ts";

/** As many as a queue of inotify holds by default (`fs.inotify.max_queued_events`). */
const MOST_WAITING = 16_384;

/** Looking up who watches takes at most this part of the time, while others change things without a pause. */
const SHARE_OF_TIME = 1 / 50;
const MOST_PAUSE_MS = 2000;

/** For so long it is found out at once what has to be told, before others have their turn. */
const TURN_MS = 2;

export interface WatchersOptions {
  readonly mountPoint: string;
  /** Resolves when the kernel believes nothing any more that is out of date. */
  readonly settled: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export class Watchers implements AsyncDisposable {
  readonly #options: WatchersOptions;
  readonly #fileSystem: FileSystem;
  readonly #known: HandlerContext["known"];
  readonly #token = `.izo-${randomUUID()}`;
  readonly #answers: StagedAnswers;
  readonly #thread: WatcherThread;
  readonly #waiting = new Map<string, WatchedChange>();
  #running: Promise<void> | undefined;
  readonly #ending = new AbortController();
  #hasFailed = false;

  constructor(context: HandlerContext, options: WatchersOptions) {
    this.#options = options;
    this.#fileSystem = context.fileSystem;
    this.#known = context.known;
    this.#answers = new StagedAnswers(this.#token, context);
    this.#thread = new WatcherThread((thread) => this.#answers.admit(thread));
  }

  /** See `StagedAnswers.before`. */
  before(handlers: Handlers): Handlers {
    return this.#answers.before(handlers);
  }

  /** Somebody else has changed that. Returns at once. */
  tell(change: WatchedChange): void {
    if (this.#isClosed || this.#fileSystem.pathOf === undefined) return;
    if (this.#waiting.size >= MOST_WAITING) return;
    this.#waiting.set(`${change.parent}/${change.name}/${change.kind}`, change);
    this.#run();
  }

  get #isClosed(): boolean {
    return this.#ending.signal.aborted;
  }

  /** Nothing is begun any more; what is under way ends with the mount. */
  close(): void {
    this.#ending.abort();
    this.#waiting.clear();
  }

  /** After the mount has gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#thread[Symbol.asyncDispose]();
    await this.#running;
  }

  #run(): void {
    this.#running ??= this.#tellAll()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Mostly it will be so the next time, too: where something else is mounted here, say. */
  #fail(error: unknown): void {
    if (!this.#hasFailed && !this.#isClosed) this.#options.onError(error);
    this.#hasFailed = true;
  }

  async #tellAll(): Promise<void> {
    while (this.#waiting.size > 0 && !this.#isClosed) {
      // Looked up after the changes were made: whoever watched by then is told.
      const changes = [...this.#waiting.values()];
      this.#waiting.clear();
      const at = { mountPoint: this.#options.mountPoint, token: this.#token };
      // oxlint-disable no-await-in-loop -- one after the other, as they happened
      const { watched, tookMs } = await this.#thread.find(at);
      if (watched.size > 0) {
        await this.#options.settled();
        await this.#raise(at, changes, watched);
      }
      const pauseMs = Math.min(MOST_PAUSE_MS, tookMs / SHARE_OF_TIME);
      await this.#pause(pauseMs);
      // oxlint-enable no-await-in-loop
    }
  }

  async #pause(pauseMs: number): Promise<void> {
    const { signal } = this.#ending;
    await setTimeout(pauseMs, undefined, { ref: false, signal }).catch(() => {});
  }

  async #raise(
    at: RaisedAt,
    changes: readonly WatchedChange[],
    watched: ReadonlySet<bigint>,
  ): Promise<void> {
    let startMs = performance.now();
    for (const change of changes) {
      if (this.#isClosed) return;
      const event = this.#eventOf(change, watched);
      // oxlint-disable no-await-in-loop -- one after the other, as they happened
      if (event !== undefined) {
        this.#answers.stage(change);
        // Not everything can be told: names go again, and a program may hold what it takes.
        await this.#thread.raise(at, event);
        this.#answers.stage(undefined);
      } else if (performance.now() - startMs > TURN_MS) {
        await nextTurn();
        startMs = performance.now();
      }
      // oxlint-enable no-await-in-loop
    }
  }

  /** What is to be raised; undefined where nobody watches, or it is not so any more. */
  #eventOf(change: WatchedChange, watched: ReadonlySet<bigint>): RaisedEvent | undefined {
    try {
      const found = this.#find(change);
      if ((found === undefined) !== (change.kind === "removed")) return undefined;
      const isWatched =
        watched.has(this.#fileSystem.getattr(change.parent).ino) ||
        (found !== undefined && watched.has(found.attributes.ino)) ||
        this.#mayWatchFormer(change);
      const directory = isWatched ? this.#fileSystem.pathOf?.(change.parent) : undefined;
      if (directory === undefined) return undefined;
      return { ...describe(change, found), directory, name: textToBytes(change.name) };
    } catch {
      // The directory itself is gone.
      return undefined;
    }
  }

  /** What is gone may have no number any more that could be looked for. */
  #mayWatchFormer(change: WatchedChange): boolean {
    if (change.kind === "replaced") return this.#known.has(change.before);
    return change.kind === "removed" && change.node !== undefined && this.#known.has(change.node);
  }

  #find({ parent, name }: WatchedChange): Found | undefined {
    const node = this.#fileSystem.lookup(parent, name);
    if (node === undefined) return undefined;
    try {
      return { attributes: this.#fileSystem.getattr(node), isKnown: this.#known.has(node) };
    } finally {
      this.#fileSystem.forget(node);
    }
  }
}

/** What a name leads to. */
interface Found {
  readonly attributes: Attributes;
  /** The kernel knows it, so that somebody may be using it. */
  readonly isKnown: boolean;
}

function describe(
  change: WatchedChange,
  found: Found | undefined,
): Pick<RaisedEvent, "kind" | "mode" | "hasContent"> {
  const { kind } = change;
  if (found === undefined) {
    const isDirectory = kind === "removed" && change.isDirectory;
    return { kind, mode: isDirectory ? constants.S_IFDIR : constants.S_IFREG, hasContent: false };
  }
  const { mode, sizeBytes } = found.attributes;
  const type = mode & constants.S_IFMT;
  const hasContent = type === constants.S_IFREG && sizeBytes > 0;
  // Made once more, it would lose what somebody has mounted there since.
  const isInUse = kind === "made" && type === constants.S_IFDIR && found.isKnown;
  return { kind: isInUse ? "attributes" : kind, mode, hasContent };
}
