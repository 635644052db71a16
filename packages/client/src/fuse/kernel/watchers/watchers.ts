/**
 * Tells the programs that watch a mount with inotify(7) of what others have changed: the kernel by itself raises
 * events only of what is done through the mount. And has it move its entries of directories that others have moved,
 * so that who works in one has a path.
 *
 * The kernel does not say who watches what. So when something has changed, and not otherwise, it is looked up in
 * `/proc`; that takes milliseconds, of another thread, and is done once for all that comes meanwhile. Where nobody
 * watches that is the end of it.
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { setImmediate as nextTurn, setTimeout } from "node:timers/promises";

import { textToBytes } from "@izo/core";

import type { EntryName } from "../../entry-name.ts";
import type { Attributes, FileSystem } from "../../file-system.ts";
import type { WatchedChange } from "../../watched-change.ts";
import type { HandlerContext, Handlers } from "../handler.ts";
import type { RaisedAt, RaisedEvent, RaisedName } from "./raise-event.ts";
import { StagedAnswers } from "./staged-answers.ts";
import { WatcherThread } from "./watcher-thread.ts";

/** As many as a queue of inotify holds by default (`fs.inotify.max_queued_events`). */
const MOST_WAITING = 16_384;

/**
 * While others change things without a pause, looking up who watches takes at most this part of the time of a
 * thread: where somebody did the last time, and where nobody did.
 */
const SHARE_WATCHED = 1 / 10;
const SHARE_UNWATCHED = 1 / 25;
const MOST_PAUSE_MS = 1000;

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
    this.#running ??= this.#tellAll();
  }

  /** Mostly it will be so the next time, too: where something else is mounted here, say. */
  #fail(error: unknown): void {
    if (!this.#hasFailed && !this.#isClosed) this.#options.onError(error);
    this.#hasFailed = true;
  }

  async #tellAll(): Promise<void> {
    // Whoever is told of a change does not come between the last look at what waits and the end of this.
    while (this.#waiting.size > 0 && !this.#isClosed) {
      // oxlint-disable no-await-in-loop -- one after the other, as they happened
      let pauseMs = MOST_PAUSE_MS;
      try {
        pauseMs = await this.#tellWaiting();
      } catch (error) {
        this.#fail(error);
      }
      await this.#pause(pauseMs);
      // oxlint-enable no-await-in-loop
    }
    this.#running = undefined;
  }

  /** @returns how long to leave the machine to others before the next look */
  async #tellWaiting(): Promise<number> {
    // Looked up after the changes were made: whoever watched by then is told.
    const changes = [...this.#waiting.values()];
    this.#waiting.clear();
    const at = { mountPoint: this.#options.mountPoint, token: this.#token };
    const { watched, tookMs } = await this.#thread.find(at);
    if (watched.size > 0 || changes.some(({ kind }) => kind === "moved")) {
      await this.#options.settled();
      await this.#raise(at, changes, watched);
    }
    const share = watched.size > 0 ? SHARE_WATCHED : SHARE_UNWATCHED;
    return Math.min(MOST_PAUSE_MS, tookMs / share);
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
        const isDone = await this.#raiseOne(at, change, event);
        // The kernel does not always get the locks for it: then as two, of which each is told that can be.
        if (!isDone && change.kind === "moved")
          await this.#raise(at, partsOf(change, event), watched);
      } else if (performance.now() - startMs > TURN_MS) {
        await nextTurn();
        startMs = performance.now();
      }
      // oxlint-enable no-await-in-loop
    }
  }

  /** Whether it could be told: names go again, and a program may hold what it takes. */
  async #raiseOne(at: RaisedAt, change: WatchedChange, event: RaisedEvent): Promise<boolean> {
    this.#answers.stage(change);
    const failure = await this.#thread.raise(at, event);
    this.#answers.stage(undefined);
    return failure === undefined;
  }

  /** What is to be raised; undefined where nobody watches, or it is not so any more. */
  #eventOf(change: WatchedChange, watched: ReadonlySet<bigint>): RaisedEvent | undefined {
    const { kind } = change;
    try {
      const found = this.#find(change);
      if ((found === undefined) !== (kind === "removed")) return undefined;
      const places = kind === "moved" ? [change, change.from] : [change];
      // Who works in a directory that is moved keeps a path: the kernel moves its entry.
      const isInUse = kind === "moved" && found?.isKnownDirectory === true;
      const isWatched =
        isInUse ||
        places.some(({ parent }) => watched.has(this.#fileSystem.getattr(parent).ino)) ||
        (found !== undefined && watched.has(found.attributes.ino)) ||
        this.#mayWatchFormer(change);
      const [at, from] = isWatched ? places.map((place) => this.#nameOf(place)) : [];
      if (at === undefined || (kind === "moved" && from === undefined)) return undefined;
      return { kind, ...at, from, ...describe(change, found?.attributes) };
    } catch {
      // The directory itself is gone.
      return undefined;
    }
  }

  #nameOf({ parent, name }: EntryName): RaisedName | undefined {
    const directory = this.#fileSystem.pathOf?.(parent);
    return directory && { directory, name: textToBytes(name) };
  }

  /** What is gone may have no number any more that could be looked for. */
  #mayWatchFormer(change: WatchedChange): boolean {
    const former = "before" in change ? change.before : "node" in change ? change.node : undefined;
    return former !== undefined && this.#known.has(former);
  }

  #find({ parent, name }: EntryName): Found | undefined {
    const node = this.#fileSystem.lookup(parent, name);
    if (node === undefined) return undefined;
    try {
      const attributes = this.#fileSystem.getattr(node);
      const isDirectory = (attributes.mode & constants.S_IFMT) === constants.S_IFDIR;
      return { attributes, isKnownDirectory: isDirectory && this.#known.has(node) };
    } finally {
      this.#fileSystem.forget(node);
    }
  }
}

/** What a name leads to. */
interface Found {
  readonly attributes: Attributes;
  /** A directory that the kernel may have an entry of. */
  readonly isKnownDirectory: boolean;
}

/** A move as what it leaves and what it comes to. */
function partsOf(
  { parent, name, from, before }: WatchedChange & { kind: "moved" },
  { mode }: RaisedEvent,
): WatchedChange[] {
  const isDirectory = (mode & constants.S_IFMT) === constants.S_IFDIR;
  const come =
    before === undefined ? { kind: "made" as const } : { kind: "replaced" as const, before };
  return [
    { ...from, kind: "removed", isDirectory, node: undefined },
    { parent, name, ...come },
  ];
}

function describe(
  change: WatchedChange,
  found: Attributes | undefined,
): Pick<RaisedEvent, "mode" | "hasContent"> {
  if (found !== undefined) {
    const isFile = (found.mode & constants.S_IFMT) === constants.S_IFREG;
    return { mode: found.mode, hasContent: isFile && found.sizeBytes > 0 };
  }
  const isDirectory = change.kind === "removed" && change.isDirectory;
  return { mode: isDirectory ? constants.S_IFDIR : constants.S_IFREG, hasContent: false };
}
