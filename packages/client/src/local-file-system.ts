/**
 * Cache and filter put together: the file system of one cache directory, complete but for a driver
 * that mounts it and a server that feeds it. It works the same without either.
 */
import { readdirSync, rmSync } from "node:fs";

import {
  type ChangeSet,
  type IgnoreRules,
  isWithin,
  NO_RULES,
  type Oid,
  type Recno,
  type Sha256,
  type StateReader,
} from "@izo/core";

import { ChangeApplier } from "./cache/apply-changes.ts";
import { PartialShelf } from "./cache/arriving/partial-shelf.ts";
import type { ChangeLog } from "./cache/change-log.ts";
import { CacheContent } from "./cache/content/cache-content.ts";
import { ContentCopies } from "./cache/content/content-copies.ts";
import type { ContentSource } from "./cache/content/content-source.ts";
import { ContentFetcher } from "./cache/content/fetch.ts";
import { COPY_EVERY_MS, LongWrites } from "./cache/content/long-writes.ts";
import { OwnVersions } from "./cache/content/own-versions.ts";
import { RemovedContents } from "./cache/content/removed-contents.ts";
import type { InodeForm } from "./cache/inode/inode-form.ts";
import { ShownTimes } from "./cache/inode/shown-times.ts";
import type { KernelNotifier } from "./cache/notify/kernel-notifier.ts";
import { LateNotifier } from "./cache/notify/late-notifier.ts";
import { CacheQuota } from "./cache/quota/cache-quota.ts";
import { evictContent } from "./cache/quota/evict-content.ts";
import { LastUses } from "./cache/quota/last-uses.ts";
import { UseNote } from "./cache/quota/use-note.ts";
import { type RecoveryReport, recoverTree } from "./cache/recovery/recover-tree.ts";
import { makeCachePaths } from "./cache/tree/cache-paths.ts";
import { CacheTree, type ProblemReporter } from "./cache/tree/cache-tree.ts";
import { NodeIds } from "./cache/tree/node-ids.ts";
import type { FilterContext } from "./filter/filter-context.ts";
import { createFilter } from "./filter/filter.ts";
import { checkChange, guardChanges } from "./filter/guard-changes.ts";
import { logContent } from "./filter/log-content.ts";
import { OwedContents } from "./filter/owed-contents.ts";
import { ProgramFetches } from "./filter/program-fetches.ts";
import { roomGate } from "./filter/room-gate.ts";
import { UnseenWriters } from "./filter/unseen-writers.ts";
import type { FileSystem } from "./fuse/file-system.ts";
import { IgnoredPart, type IgnoredStatus } from "./ignored/ignored-part.ts";
import type { Rank } from "./keep/keep-rules.ts";
import { type HeldPermits, permitGate } from "./permit/permit-gate.ts";
import { type KnownScope, scopeGate } from "./scope/scope-gate.ts";
import { DEFAULT_STREAM_FROM_BYTES } from "./settings/mount-settings.ts";
import { FileHasher } from "./sync/seal/hash-file.ts";

/** How often it is noted what was used when: so much of it a crash forgets. */
const SAVE_USES_MS = 60_000;

export interface LocalFileSystemOptions {
  /** The cache's directory; the caller holds its lock. */
  readonly cacheDir: string;
  /** As the lock says it. */
  readonly form: InodeForm;
  readonly log: ChangeLog;
  /** Everything is kept here (replica), or only what is opened (on-demand). */
  readonly isReplica: boolean;
  readonly newOid: () => Oid;
  readonly nowNs: () => bigint;
  /** Now, for inodes; `nowNs` by default. */
  readonly stampNs?: () => bigint;
  /** The server, while there is one. */
  readonly source: () => ContentSource | undefined;
  readonly waitFor: (recno: Recno, signal: AbortSignal) => Promise<void>;
  readonly onWriterGone: (oid: Oid) => void;
  /** A file that is written without pause waits to be sealed from a copy. */
  readonly onLongWritten: () => void;
  /** How often that is done; {@link COPY_EVERY_MS} by default. */
  readonly copyEveryMs?: number;
  readonly onProblem: ProblemReporter;
  /** How much a content is wanted here without being asked for; undefined for not at all. */
  readonly rankOf?: (oid: Oid) => Rank | undefined;
  /** So many changes may wait for the server, by `mostPending`; any number by default. */
  readonly mostPending?: number;
  /** What may be changed; without it everything. */
  readonly scope?: KnownScope;
  /** Without which nothing is changed, where the mount requires them. */
  readonly permits?: HeldPermits;
  /** What is made here and meant by these stays on this machine; nothing by default. */
  readonly ignore?: IgnoreRules;
  /** Names copies of what was ignored, and is in the way. */
  readonly hostName: string;
}

export class LocalFileSystem implements Disposable {
  /** For a driver. */
  readonly fileSystem: FileSystem;
  /** For InterSync. */
  readonly content: CacheContent;
  /** Fetches that programs wait for: what becomes of them offline can be changed at any time. */
  readonly fetches: ProgramFetches;
  /** What had to be repaired; undefined when the last use ended well. */
  readonly recovered: RecoveryReport | undefined;
  /** So many changes may wait for the server. */
  readonly mostPending: number;
  /** Lets content leave where there is too much of it. */
  readonly quota: CacheQuota;
  readonly #tree: CacheTree;
  readonly #lastUses: LastUses;
  readonly #shownTimes: ShownTimes;
  readonly #saving: NodeJS.Timeout;
  readonly #hasher = new FileHasher();
  readonly #abort = new AbortController();
  readonly #notifier = new LateNotifier();
  readonly #useNote: UseNote;
  readonly #owed: OwedContents;
  readonly #unseenWriters = new UnseenWriters();
  readonly #longWrites: LongWrites;
  readonly #ignored: IgnoredPart;
  readonly #removed: RemovedContents;
  #streamFromBytes: number | null = DEFAULT_STREAM_FROM_BYTES;

  /** Opens the cache, and repairs it where the last use did not end well. */
  constructor(options: LocalFileSystemOptions) {
    const { cacheDir, form, log } = options;
    const paths = makeCachePaths(cacheDir);
    rmSync(paths.staging, { recursive: true });
    makeCachePaths(cacheDir);
    const versions = new OwnVersions(log);
    const ids = new NodeIds();
    const lastUses = new LastUses(cacheDir, Date.now);
    this.#shownTimes = new ShownTimes(cacheDir);
    const tree = new CacheTree({
      paths,
      form,
      ids,
      visible: () => log.visible,
      onProblem: options.onProblem,
      isPending: (version) => versions.isPending(version),
      onNameless: (oid) => lastUses.forget(oid),
      shownTimes: this.#shownTimes,
    });
    this.#tree = tree;
    const isServerThere = (): boolean => options.source() !== undefined;
    this.#lastUses = lastUses;
    this.#saving = setInterval(() => this.#saveUses(options.onProblem), SAVE_USES_MS).unref();
    const evict = { tree, authoritative: () => log.authoritative, hasher: this.#hasher };
    this.quota = new CacheQuota({
      treePath: paths.tree,
      form,
      lastUses,
      rankOf: (oid) => options.rankOf?.(oid),
      evict: (oid) => evictContent(evict, oid),
      isServerThere,
      onProblem: options.onProblem,
      signal: this.#abort.signal,
    });
    const shelf = new PartialShelf(paths.partial, Date.now);
    // What was begun and is not being fetched goes first; it may be no more than the failed attempt has left.
    const reclaim = async (bytes: number): Promise<boolean> => {
      // A log that cannot be synced says so itself.
      const removed = await this.#removed.settle().catch(() => 0);
      const cleared = shelf.clear() + removed;
      return cleared >= bytes || (await this.quota.reclaim(bytes - cleared)) || cleared > 0;
    };
    const fetcher = new ContentFetcher({
      ...options,
      tree,
      shelf,
      follow: (fd) => this.#hasher.follow(fd),
      onArrived: (bytes) => this.quota.noteArrival(bytes),
      reclaim,
      stagingPath: paths.staging,
      notifier: this.#notifier,
      signal: this.#abort.signal,
    });
    this.#owed = new OwedContents(
      tree.nodes,
      (node) => logContent(context, node),
      (node, error) => options.onProblem(tree.nodes.shownPath(node), error),
    );
    this.fetches = new ProgramFetches({
      fetcher,
      isServerThere,
      signal: this.#abort.signal,
    });
    this.#removed = new RemovedContents({
      freePath: () => tree.limbo.removedPath(),
      syncLog: () => log.syncLog(),
    });
    const copies = new ContentCopies(paths.copies);
    const longWrites = new LongWrites({
      everyMs: options.copyEveryMs ?? COPY_EVERY_MS,
      nowMs: () => Number(options.nowNs() / 1_000_000n),
      log: (node) => logContent(context, node),
      onDue: options.onLongWritten,
      onProblem: (node, error) => options.onProblem(tree.nodes.shownPath(node), error),
      hasOpenClose: ({ holding }) =>
        holding.state === "local" && versions.openCloses(holding.base).length > 0,
      isKept: (sha256) => copies.has(sha256),
    });
    this.#longWrites = longWrites;
    const context: FilterContext = {
      stampNs: options.nowNs,
      ...options,
      tree,
      fetches: this.fetches,
      owed: this.#owed,
      unseenWriters: this.#unseenWriters,
      longWrites,
      removed: this.#removed,
      notifier: this.#notifier,
      onUsed: (oid) => lastUses.note(oid),
      streamFromBytes: () => this.#streamFromBytes,
      reclaim,
      onWriterGone: (oid) => {
        options.onWriterGone(oid);
        this.quota.check();
      },
    };
    const applier = new ChangeApplier({
      tree,
      versions,
      notifier: this.#notifier,
      keepsOldContent: options.isReplica,
      logChanges: (node, base) => logContent(context, node, base),
    });
    this.#useNote = new UseNote(cacheDir);
    tree.showRoot();
    const lastUse = this.#useNote.read();
    if (lastUse !== "closed" || readdirSync(paths.limbo).length > 0) {
      const isPowerLost = lastUse === "machine-ended";
      this.recovered = recoverTree({ ...options, tree, versions, applier, isPowerLost });
    }
    this.#useNote.write();
    const isNamed = (sha256: Sha256): boolean => versions.namesContent(sha256);
    copies.prune(isNamed);
    const { ignore: rules = NO_RULES } = options;
    const ignored = new IgnoredPart({
      ...options,
      context,
      paths,
      ids,
      notifier: this.#notifier,
      rules,
    });
    this.#ignored = ignored;
    const onShown = (changes: ChangeSet): void => ignored.follow(changes);
    const parts = { tree, versions, applier, fetcher, copies, longWrites, isNamed, onShown };
    this.content = new CacheContent(parts);
    const visible = (): StateReader => log.visible;
    this.mostPending = options.mostPending ?? Infinity;
    const gates = [
      roomGate(log, this.mostPending),
      options.scope === undefined ? [] : scopeGate(options.scope, visible),
      options.permits === undefined ? [] : permitGate(options.permits, visible),
    ].flat();
    const filter = createFilter(context);
    const guarded = gates.reduce(
      (fileSystem, gate) => guardChanges(fileSystem, tree, gate),
      filter,
    );
    if (lastUse !== "closed") ignored.recover(filter);
    const withAll = ignored.beside(guarded, (change) => checkChange(gates, change));
    this.fileSystem = ignored.isEmpty ? guarded : withAll;
  }

  /** As of {@link IgnoredPart.takeUp}. */
  takeUpIgnored(former: IgnoreRules): Promise<number> {
    return this.#ignored.takeUp(former);
  }

  /** What is ignored here. */
  describeIgnored(): IgnoredStatus {
    return this.#ignored.describe();
  }

  /** From here on the kernel is told what changes behind its back. */
  connect(notifier: KernelNotifier): void {
    this.#notifier.target = notifier;
    for (const { nodes } of [this.#tree, this.#ignored])
      nodes.kept.connect(notifier.descriptorClosed?.bind(notifier));
  }

  /** From which size on files can be read while they are fetched; null for never. */
  setStreamFrom(bytes: number | null): void {
    this.#streamFromBytes = bytes;
  }

  /** Tells whether a program has a file below a directory open for writing. */
  hasWriterBelow(directory: Oid): boolean {
    const { visible, nodes } = this.#tree;
    for (const { oid } of nodes.withWriter()) {
      if (visible.links(oid).some(({ parent }) => isWithin(visible, parent, directory)))
        return true;
    }
    return false;
  }

  /** False where the disk took not all of them: recovery names the records. */
  #areMarksWritten(): boolean {
    try {
      this.#tree.marks.writeAllLate();
      return true;
    } catch {
      return false;
    }
  }

  #saveUses(onProblem: ProblemReporter): void {
    try {
      this.#lastUses.save();
    } catch (error) {
      // A full disk, as a rule: what was used when is of no use to anybody then.
      onProblem("last-uses", error);
    }
  }

  #saveShownTimes(): void {
    try {
      this.#shownTimes.save(this.#tree.nodes.all());
    } catch {
      // A full disk, as a rule. Programs that go by these times read the files again.
    }
  }

  /** Files that a program writes without pause: the server gets what they hold at an interval only. */
  longWritten(): { readonly path: string; readonly sinceMs: number }[] {
    return this.#longWrites
      .list()
      .map(({ node, sinceMs }) => ({ path: this.#tree.nodes.shownPath(node), sinceMs }));
  }

  /** Why contents of closed files are not logged yet; undefined where all are. */
  get owedReason(): unknown {
    return this.#owed.reason;
  }

  /** Logs the contents of closed files for which there was no room in the log. @throws while there is none */
  logOwed(): void {
    this.#owed.pay();
  }

  /** Opens that wait for content fail from here on. */
  endFetches(): void {
    this.#abort.abort();
  }

  /** Lets go what waits for the log to be durable. A mount that ends without it is repaired by the next. */
  async settle(): Promise<void> {
    await this.#removed.settle();
  }

  /** Ends fetches, and notes that the cache needs no repair. Call it when nothing is open any more. */
  [Symbol.dispose](): void {
    this.#notifier.target = undefined;
    for (const { nodes } of [this.#tree, this.#ignored]) nodes.kept.connect(undefined);
    this.endFetches();
    this.#unseenWriters[Symbol.dispose]();
    this.#ignored[Symbol.dispose]();
    clearInterval(this.#saving);
    this.#saveUses(() => {});
    void this.#hasher[Symbol.asyncDispose]();
    this.#owed[Symbol.dispose]();
    this.#longWrites[Symbol.dispose]();
    this.#removed[Symbol.dispose]();
    // What the log did not take, or somebody still writes, is found by the next process.
    if (this.#owed.isEmpty && this.#unseenWriters.isEmpty && this.#areMarksWritten())
      this.#useNote.remove();
    this.#saveShownTimes();
  }
}
