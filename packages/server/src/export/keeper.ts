/**
 * Keeps tree, log and index of one fileset together while it is exported: the one queue through which
 * all changes go, and what feeds it (pushes, the watch, scans, writers that outlive a replacement).
 */

import { setImmediate } from "node:timers/promises";

import { ROOT_OID, type Entry, type Name, type Oid, type ServerRecord } from "@izo/core";
import { fstat } from "@izo/sys";

import { applyPush, type PushContext } from "./apply/apply-push.ts";
import type { LocalChange } from "./apply/local-change.ts";
import { clearStaging } from "./apply/recover-intents.ts";
import { type ContentRetention, dropOldContents } from "./contents/content-retention.ts";
import { ContentStore } from "./contents/content-store.ts";
import type { CrashPoint } from "./crash-point.ts";
import type { HeldRemoval, Problem, Push, PushResult, WatchMode } from "./export.ts";
import type { Fileset } from "./fileset.ts";
import { clearFullDisk, noteFullDisk } from "./full-disk-problem.ts";
import { HeadWaiters } from "./head-waiters.ts";
import { JobQueue } from "./job-queue.ts";
import { findMoved } from "./look/find-moved.ts";
import { HeldEntries } from "./look/held-entries.ts";
import { type HashedBeside, HUGE_BYTES, LARGE_BYTES, LongHashes } from "./look/long-hashes.ts";
import type { LookOptions, LookProgress } from "./look/look-options.ts";
import { look, mergeRequests, type Looked } from "./look/look.ts";
import { settleObject } from "./look/settle-object.ts";
import { TreeWatch } from "./look/tree-watch.ts";
import { copyOutgoing } from "./outgoing/copy-outgoing.ts";
import { OutgoingWatch } from "./outgoing/outgoing-watch.ts";
import { readFoundEntry } from "./tree/found-entry.ts";
import type { LookRequest } from "./tree/list-directory.ts";

export interface KeeperOptions {
  /** A file becomes a record when nobody touched it for this long. */
  readonly quietMs: number;
  /** The same while somebody holds it open for writing. */
  readonly writerQuietMs: number;
  /** Names that arrive within this time are looked at together. */
  readonly gatherMs: number;
  /** A look that failed is tried again after this long. */
  readonly retryMs: number;
  /** Whole scans beside the watch: what the kernel's queue may have lost. */
  readonly rescanMs: number;
  /** Whole scans where directories cannot be watched. */
  readonly scanMs: number;
  readonly contentRetention: ContentRetention;
  readonly reach: CrashPoint;
  /** Called with what went wrong outside of any caller's request. */
  readonly onError: (error: unknown) => void;
}

interface KeeperLookOptions extends ScanOptions {
  /** Which files are hashed beside the queue; by default the huge ones, for looks that somebody waits for. */
  readonly beside?: HashedBeside;
  readonly quietMs: number;
  readonly holdsMassRemoval: boolean;
}

/** What whoever waits for the first scan has to do with it. */
interface ScanOptions {
  readonly onProgress?: (progress: LookProgress) => void;
  /** Nobody waits for it any more: it ends with an error, and the next start goes on from what is settled. */
  readonly signal?: AbortSignal;
}

const EVERYTHING: LookRequest = { directory: ROOT_OID, names: null, isDeep: true };
const OUTGOING_CHECK_MS = 1_000;

export class Keeper {
  readonly fileset: Fileset;
  readonly contents: ContentStore;
  /** Requests for records that are not there yet. */
  readonly waiters: HeadWaiters;
  heldRemoval: HeldRemoval | null = null;
  #held: HeldEntries;
  readonly #options: KeeperOptions;
  readonly #problems: ReadonlyMap<string, Problem>;
  readonly #queue = new JobQueue();
  readonly #watch: TreeWatch;
  readonly #outgoing: OutgoingWatch;
  readonly #longHashes = new LongHashes();
  readonly #large = { hashes: this.#longHashes, fromBytes: LARGE_BYTES, isNameLogged: false };
  readonly #huge = { hashes: this.#longHashes, fromBytes: HUGE_BYTES, isNameLogged: false };
  readonly #abort = new AbortController();
  /** Copies of old contents that are being made. */
  readonly #copies = new Set<Promise<void>>();
  #requests: LookRequest[] = [];
  #lookTimer: NodeJS.Timeout | null = null;
  #rescanTimer: NodeJS.Timeout | null = null;
  #outgoingTimer: NodeJS.Timeout | null = null;

  constructor(fileset: Fileset, problems: ReadonlyMap<string, Problem>, options: KeeperOptions) {
    this.fileset = fileset;
    this.#held = new HeldEntries(fileset, []);
    this.waiters = new HeadWaiters(() => fileset.ledger.position.recno);
    this.#problems = problems;
    this.#options = options;
    this.#watch = new TreeWatch(() => this.#lookSoon(options.gatherMs));
    this.#outgoing = new OutgoingWatch(fileset);
    this.contents = new ContentStore(fileset, (entry, isThere) => {
      if (isThere || !this.#held.holds(entry)) this.#lookAtEntry(entry);
    });
    fileset.ledger.observe((records) => this.#follow(records));
  }

  get watching(): WatchMode {
    return this.#watch.mode;
  }

  get watchedDirectories(): number {
    return this.#watch.count;
  }

  get problems(): readonly Problem[] {
    return [...this.#problems.values()];
  }

  nowMs(): number {
    return Number(this.fileset.nowNs() / 1_000_000n);
  }

  /** The first scan, or the one at a later start: from here on direct changes are watched. */
  async start(isRemovalConfirmed: boolean, options: ScanOptions = {}): Promise<void> {
    const saved = await clearStaging(this.fileset);
    this.contents.dropAbandoned();
    if (saved > 0) {
      const message = `${saved} files whose writers outlived a crash are back as recovered.conflict-…`;
      this.fileset.noteProblem({ path: "/", message });
    }
    await this.#queue.run(async () => {
      await this.#settleRoot();
      await this.#look([EVERYTHING], {
        quietMs: 0,
        holdsMassRemoval: !isRemovalConfirmed,
        ...options,
      });
    });
    this.#scheduleRescan();
  }

  push(push: Push): Promise<PushResult[]> {
    const context: PushContext = {
      fileset: this.fileset,
      reach: this.#options.reach,
      onDirectory: (oid, fd) => this.#watchMade(oid, fd),
      contentSize: (sha256) => this.contents.sizeOf(sha256),
      whenDurable: (contents) => this.contents.whenDurable(contents),
      lookAgain: (change) => this.#lookAgain(change),
      takeOutgoing: (outgoing) => {
        this.#outgoing.take(outgoing);
        this.#copyOutgoing();
        this.#checkOutgoingSoon();
      },
    };
    return this.#queue.run(async () => {
      try {
        return await this.contents.idle.withRoom(() => applyPush(context, push));
      } catch (error) {
        noteFullDisk(this.fileset, error);
        throw error;
      } finally {
        this.#wake();
      }
    });
  }

  /** Runs something that no batch may come between, in the queue of all changes. */
  run<T>(job: () => T | Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      try {
        return await job();
      } finally {
        this.#wake();
      }
    });
  }

  /** Resolves when what was queued before, and what the watch has named, is logged. */
  async settled(): Promise<void> {
    this.#takeNews();
    await this.#queue.run(async () => {
      const requests = mergeRequests(this.#requests.splice(0));
      if (requests.length > 0) {
        const { quietMs } = this.#options;
        await this.#look(requests, {
          quietMs,
          holdsMassRemoval: false,
          beside: this.#large,
        });
      }
    });
  }

  /** Scans all of the tree, now. */
  async rescan(isRemovalConfirmed: boolean): Promise<void> {
    await this.#queue.run(async () => {
      const { quietMs } = this.#options;
      await this.#look([EVERYTHING], {
        quietMs,
        holdsMassRemoval: !isRemovalConfirmed,
        beside: this.#large,
      });
      dropOldContents(this.fileset, this.#options.contentRetention);
      this.contents.idle.dropAbandoned();
    });
  }

  /** Ends watching and waits for the job in progress. */
  async stop(): Promise<void> {
    this.#abort.abort();
    for (const timer of [this.#lookTimer, this.#rescanTimer, this.#outgoingTimer]) {
      if (timer !== null) clearTimeout(timer);
    }
    this.#watch[Symbol.dispose]();
    this.#longHashes[Symbol.dispose]();
    await Promise.allSettled(this.#copies);
    await this.#queue.idle();
  }

  /** What a push has run into, which is logged before the push is judged again. */
  async #lookAgain({ request, oid }: LocalChange): Promise<void> {
    const names = request.names ?? [];
    await this.#held.giveUp(oid, request.directory, names, (made, fd) => this.#watchMade(made, fd));
    const beside = { ...this.#huge, isNameLogged: true };
    await this.#look([request], { quietMs: 0, holdsMassRemoval: false, beside });
  }

  /**
   * Looks, and looks again at once for directories that something else was seen in the place of: no batch
   * may come between and meet them where they only wait.
   */
  async #look(requests: readonly LookRequest[], options: KeeperLookOptions): Promise<void> {
    const { waiting } = await this.#lookOnce(requests, options);
    if (waiting.length === 0) return;
    await this.#awaitNews();
    const named = mergeRequests([...waiting, ...this.#requests.splice(0)]);
    const { quietMs } = this.#options;
    const again = await this.#lookOnce(named, { ...options, quietMs, holdsMassRemoval: false });
    if (again.waiting.length === 0) return;
    this.#requests.push(...again.waiting);
    this.#lookSoon(this.#options.gatherMs);
  }

  async #lookOnce(requests: readonly LookRequest[], options: KeeperLookOptions): Promise<Looked> {
    // A scan of everything judges all absences anew.
    const isScan = requests.includes(EVERYTHING);
    try {
      const lookOptions: LookOptions = {
        beside: this.#huge,
        ...options,
        held: isScan ? null : this.#held,
        writerQuietMs: options.quietMs === 0 ? 0 : this.#options.writerQuietMs,
        onDirectory: (oid, fd) => this.#watch.add(oid, fd),
        findMoved: async () => {
          await this.#awaitNews();
          return findMoved(this.fileset, this.#requests);
        },
        signal:
          options.signal === undefined
            ? this.#abort.signal
            : AbortSignal.any([this.#abort.signal, options.signal]),
      };
      const looked = await this.contents.idle.withRoom(() =>
        look(this.fileset, requests, lookOptions),
      );
      if (looked.busy.length > 0) {
        this.#requests.push(...looked.busy);
        this.#lookSoon(this.#options.quietMs);
      }
      if (isScan) {
        const { held } = looked;
        this.heldRemoval = held && { removed: held.removed, objects: held.objects };
        this.#held = new HeldEntries(this.fileset, held?.entries ?? []);
      }
      return looked;
    } catch (error) {
      noteFullDisk(this.fileset, error);
      // Nothing that was named is forgotten: what has failed now is looked at again.
      this.#requests.push(...requests);
      this.#lookSoon(this.#options.retryMs);
      throw error;
    } finally {
      this.#wake();
    }
  }

  /** The root is there before the first record; only its attributes can differ. */
  async #settleRoot(): Promise<void> {
    const { ledger, rootFd } = this.fileset;
    const dot = Buffer.from(".");
    const stat = fstat(rootFd);
    const found = readFoundEntry(rootFd, ROOT_OID, "." as Name, dot, stat);
    ledger.begin();
    try {
      settleObject(this.fileset, ledger.state.object(ROOT_OID)!, found);
      await ledger.commit();
    } catch (error) {
      ledger.rollback();
      throw error;
    }
  }

  #watchMade(oid: Oid, fd: number): void {
    this.#watch.add(oid, fd);
    // Something may have been put into it between its making and its watch.
    this.#requests.push({ directory: oid, names: null, isDeep: false });
    this.#lookSoon(this.#options.gatherMs);
  }

  #follow(records: readonly ServerRecord[]): void {
    // They are durable: who waits for them need not wait for the rest of the batch, or of the push.
    this.#wake();
    clearFullDisk(this.fileset);
    for (const { operation } of records) {
      const { opcode } = operation;
      if (opcode === "RMDIR" || opcode === "UNLINK") this.#followRemoval(operation.oid);
      if (opcode === "RENAME" && operation.victim !== null && !operation.keepsOid) {
        this.#followRemoval(operation.victim.oid);
      }
    }
  }

  /**
   * The kernel ends the watch of a directory that is removed, and Node still holds something for it.
   * What was written to a file under a name that is gone by now can only be seen under its others.
   */
  #followRemoval(oid: Oid): void {
    this.#watch.drop(oid);
    for (const entry of this.fileset.ledger.state.links(oid)) this.#lookAtEntry(entry);
  }

  #lookAtEntry(entry: Entry): void {
    this.#requests.push({ directory: entry.parent, names: new Set([entry.name]), isDeep: false });
    this.#lookSoon(this.#options.gatherMs);
  }

  /** Takes what the kernel has queued by now, which the next turn of the loop brings. */
  async #awaitNews(): Promise<void> {
    await setImmediate();
    this.#takeNews();
  }

  #takeNews(): void {
    const news = this.#watch.take();
    this.#requests.push(...(news ?? [EVERYTHING]));
  }

  #lookSoon(delayMs: number): void {
    if (this.#lookTimer !== null || this.#abort.signal.aborted) return;
    this.#lookTimer = setTimeout(() => {
      this.#lookTimer = null;
      this.#inBackground(this.settled());
    }, delayMs);
    this.#lookTimer.unref();
  }

  #scheduleRescan(): void {
    if (this.#abort.signal.aborted) return;
    const { rescanMs, scanMs } = this.#options;
    const delayMs = this.#watch.mode === "scanning" ? scanMs : rescanMs;
    this.#rescanTimer = setTimeout(() => {
      this.#inBackground(this.rescan(false).finally(() => this.#scheduleRescan()));
    }, delayMs);
    this.#rescanTimer.unref();
  }

  #checkOutgoingSoon(): void {
    if (this.#outgoing.isEmpty || this.#outgoingTimer !== null) return;
    this.#outgoingTimer = setTimeout(() => {
      this.#outgoingTimer = null;
      const job = this.#queue.run(async () => {
        const copies = this.#outgoing.release();
        this.#copyOutgoing();
        if (copies.length > 0) await this.#look(copies, { quietMs: 0, holdsMassRemoval: false });
      });
      this.#inBackground(job.finally(() => this.#checkOutgoingSoon()));
    }, OUTGOING_CHECK_MS);
    this.#outgoingTimer.unref();
  }

  #copyOutgoing(): void {
    for (const outgoing of this.#outgoing.takeToCopy()) {
      const job = copyOutgoing(this.fileset, outgoing).then((finish) => this.run(finish));
      this.#copies.add(job);
      this.#inBackground(job.finally(() => this.#copies.delete(job)));
    }
  }

  #inBackground(job: Promise<unknown>): void {
    job.catch((error: unknown) => {
      if (!this.#abort.signal.aborted) this.#options.onError(error);
    });
  }

  #wake(): void {
    this.waiters.wake();
  }
}
