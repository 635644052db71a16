/**
 * The composition root of a client: takes a cache, opens what is in it, mounts it, and keeps it and its
 * server together until the mount ends.
 *
 * With a cache that has a tree it works without a server. Nothing is lost when it is killed: what was
 * done is in the cache's own log, and what the cache holds is compared with it at the next start.
 */
import { hash } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { getHeapStatistics } from "node:v8";

import { type FilesetId, IgnoreRules, IzoError } from "@izo/core";
import { nodeDisk, SpaceReserve } from "@izo/sys";
import type { Logger } from "pino";

import { lockCache } from "./cache/cache-lock.ts";
import { checkMountPoint } from "./check-mount-point.ts";
import type { MountControl } from "./control/mount-control.ts";
import { controlOf } from "./control/mounted-control.ts";
import { serveControl } from "./control/serve-control.ts";
import type { DriverChoice } from "./fuse/driver-name.ts";
import type { MountEnd } from "./fuse/fuse-mount.ts";
import { mountDriver } from "./fuse/mount-driver.ts";
import type { QuickWakeChoice } from "./fuse/quick-wake-choice.ts";
import { turnPriorityHere } from "./fuse/turn-priority.ts";
import { ContentKeeper } from "./keep/content-keeper.ts";
import { KernelClock } from "./kernel-clock.ts";
import { LocalFileSystem } from "./local-file-system.ts";
import { bootClockMs } from "./permit/boot-clock.ts";
import { PermitKeeper } from "./permit/permit-keeper.ts";
import type { PermitMode } from "./permit/permit-mode.ts";
import { PermitNote } from "./permit/permit-note.ts";
import { HttpRemote } from "./remote/http-remote.ts";
import { TransferBook } from "./remote/transfer-book.ts";
import { watchCredentials } from "./remote/watch-credentials.ts";
import { ScopeNote } from "./scope/scope-note.ts";
import type { SettingsChange } from "./settings/mount-settings.ts";
import { SettingsFile } from "./settings/settings-file.ts";
import { InterSync } from "./sync/inter-sync.ts";
import { mostPending } from "./sync/push/most-pending.ts";
import { claimCache, readCacheIdentity } from "./sync/replica/cache-identity.ts";
import { LocalReplica } from "./sync/replica/local-replica.ts";
import type { SyncMode } from "./sync/sync-status.ts";
import { wallClock } from "./wall-clock.ts";
import type { WarmUpChoice } from "./warm-up/warm-up-choice.ts";
import { WarmUp } from "./warm-up/warm-up.ts";

/** How long the start of a mount waits to learn whether its server is there. */
const CONTACT_MS = 1_000;

export interface MountOptions {
  /** `http://HOST:PORT/FILESET`. */
  readonly url: string;
  /** An existing, empty directory, as an absolute path. */
  readonly mountPoint: string;
  /** Made where it is missing; an absolute path. */
  readonly cacheDir: string;
  readonly mode: SyncMode;
  /** By default `auto`. */
  readonly driver?: DriverChoice;
  /** By default `auto`. */
  readonly quickWake?: QuickWakeChoice;
  /** By default `idle`. */
  readonly warmUp?: WarmUpChoice;
  /** `none` by default. */
  readonly permitMode?: PermitMode;
  /** Every change on the mount fails with EROFS; what waits in the cache is sent all the same. */
  readonly isReadOnly?: boolean;
  /** Other users may use the mount. By default, where root mounts. */
  readonly isForAll?: boolean | undefined;
  /** The token, where it is in no file. It is kept in no file either. */
  readonly token?: string | undefined;
  /** Settings that this mount starts with; all others are those that the cache had last. */
  readonly settings?: SettingsChange;
  readonly logger: Logger;
}

/** A fileset that is mounted. Disposing of it unmounts. */
export interface Mount extends MountControl, AsyncDisposable {
  readonly mountPoint: string;
  /**
   * Whether the mount has its server, as far as that can be known within a second of its start: else it
   * works from its cache alone, and goes on trying unless its user keeps it offline.
   */
  readonly contact: "online" | "offline" | "forced-offline";
  /** Settles when nothing is mounted any more, whoever ended it. It never rejects. */
  readonly closed: Promise<MountEnd>;
}

/** See `mount-fileset.ts`, which loads this at the first mount. */
export async function mountFileset(options: MountOptions): Promise<Mount> {
  await using stack = new AsyncDisposableStack();
  const { url, mountPoint, cacheDir, logger } = options;
  await checkMountPoint(mountPoint);
  const { form } = stack.use(lockCache(cacheDir));
  const file = new SettingsFile(cacheDir);
  const credentials = { ...file.settings.credentials, ...options.settings?.credentials };
  const transfers = new TransferBook(Date.now);
  const remote = stack.use(
    new HttpRemote(url, { credentials: { ...credentials, token: options.token }, transfers }),
  );
  // Given back while the cache is opened: on a full disk it is what recovery has to work with.
  const space = stack.use(new SpaceReserve(join(cacheDir, "reserve")));
  space.release();
  const fileset = await identifyFileset(options, remote);
  const former = new IgnoreRules(file.settings.ignore);
  const ignore = new IgnoreRules(options.settings?.ignore ?? former.patterns);
  // Other patterns are noted when what they make of the cache is done: a crash before begins it again.
  const noted = { credentials, ignore: former.patterns };
  if (options.settings !== undefined) file.change({ ...options.settings, ...noted });
  const { isForcedOffline, offlinePolicy, cacheQuotaBytes, streamFromBytes } = file.settings;
  const nowNs = wallClock();
  const clock = stack.use(new KernelClock(cacheDir));
  const replica = stack.use(
    await LocalReplica.open({
      cacheDir,
      disk: nodeDisk,
      fileset,
      nowNs,
      hash: (bytes) => hash("sha256", bytes, "buffer"),
      onSyncFailed: (error) => logger.error({ err: error }, "own log failed"),
    }),
  );
  // Each needs the others: the file system fetches when it is asked, InterSync starts at once.
  let sync: InterSync | undefined;
  const permitMode = options.permitMode ?? "none";
  const permits = new PermitKeeper({
    mode: permitMode,
    note: new PermitNote(cacheDir),
    remote,
    hostName: hostname(),
    peer: () => replica.peer,
    visible: () => replica.visible,
    clockMs: bootClockMs,
    nowMs: Date.now,
    random: Math.random,
    mayAsk: () => sync?.isForcedOffline !== true,
    isServerLost: () => sync?.isServerLost === true,
    replayTo: async (recno, signal) => sync?.waitFor(recno, signal),
    flush: async (signal) => sync?.flush(signal),
    hasWriterBelow: (oid) => local.hasWriterBelow(oid),
    onPassedOn: (fence) => logger.warn(fence, "a permit was passed on: its changes go without it"),
  });
  const scope = new ScopeNote(cacheDir);
  const ending = new AbortController();
  stack.defer(() => ending.abort());
  const keeper = new ContentKeeper({
    isReplica: options.mode === "replica",
    visible: () => replica.visible,
    hasContent: (oid, sha256) => local.content.hasContent(oid, sha256),
    makeRoomFor: (bytes, rank) => local.quota.makeRoomFor(bytes, rank),
    want: (files) => sync?.wantContents(files),
    onError: (error) => logger.warn({ err: error }, "looking for what is to be kept"),
    signal: ending.signal,
  });
  const local = stack.use(
    new LocalFileSystem({
      cacheDir,
      form,
      hostName: hostname(),
      ignore,
      log: replica,
      isReplica: options.mode === "replica",
      newOid: () => replica.newOid(),
      nowNs,
      stampNs: () => clock.nowNs(),
      source: () => {
        if (sync === undefined) return remote;
        if (!sync.isServerLost) {
          return {
            fetchContent: remote.fetchContent.bind(remote),
            landContent: remote.landContent.bind(remote),
            lost: sync.lost,
          };
        }
        // Somebody is there: the network may be back sooner than the next attempt.
        sync.retryNow();
        return undefined;
      },
      waitFor: async (recno, signal) => sync?.waitFor(recno, signal),
      rankOf: (oid) => keeper.rankOf(oid),
      onLongWritten: () => sync?.noteIdleFile(),
      onWriterGone: () => {
        sync?.noteIdleFile();
        permits.noteWriterGone();
      },
      mostPending: mostPending(getHeapStatistics().heap_size_limit),
      scope,
      ...(permitMode !== "none" && { permits }),
      onProblem: (path, error) => logger.warn({ path, err: error }, "not in the cache"),
    }),
  );
  stack.defer(() => local.settle());
  local.fetches.setPolicy(offlinePolicy);
  local.quota.setQuota(cacheQuotaBytes);
  local.setStreamFrom(streamFromBytes);
  if (local.recovered !== undefined) logger.info(local.recovered, "cache compared with the log");
  await changeIgnored(local, file, former, ignore, logger);
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  sync = stack.use(
    new InterSync({
      replica,
      remote,
      cache: local.content,
      fileset,
      mode: options.mode,
      permits,
      scope,
      keep: keeper,
      onNamesChanged: () => keeper.noteTreeChanged(),
      nowMs: Date.now,
      random: Math.random,
      isForcedOffline: isForcedOffline && replica.hasTree,
      onState: ({ name, isForced }) => {
        logger.info({ state: name, isForced }, "connection");
        local.fetches.noteConnection();
      },
      onError: (error) => {
        logger.warn(error, "sync");
        failure.reject(new IzoError(error.code, error.message, { advice: error.advice }));
      },
    }),
  );
  stack.use(watchCredentials(credentials, () => sync?.noteCredentials()));
  keeper.keep(file.settings);
  stack.use(
    replica.onRecorded((change) => {
      // What programs move can come below a pin, or under a path that is hoarded.
      const isMove = change.kind === "recorded" && /RENAME|LINK/.test(change.opcode);
      if (isMove) keeper.noteTreeChanged();
    }),
  );
  // Without a tree there is nothing to show, and the first failure is the user's to know.
  if (!replica.hasTree) {
    await Promise.race([sync.waitForTree(new AbortController().signal), failure.promise]);
  }
  // Handed back when nothing is mounted any more, and while there is still somebody to push.
  stack.use(permits);
  permits.start();
  const { isReadOnly = false, isForAll } = options;
  let warmUp: WarmUp | undefined;
  const turns = stack.use(turnPriorityHere());
  const fuse = stack.use(
    await mountDriver(local.fileSystem, mountPoint, {
      driver: options.driver ?? "auto",
      isReadOnly,
      isForAll,
      quickWake: options.quickWake,
      backingDir: cacheDir,
      onAnswered: (durationMs) => {
        turns.noteAnswered();
        warmUp?.noteAnswered(durationMs);
        return sync.noteAnswered(durationMs);
      },
      onSent: () => replica.showRecorded(),
      onError: (error) => logger.error({ err: error }, "file system"),
    }),
  );
  const { requests: _, ...facts } = fuse.facts();
  logger.info(facts, "driver");
  local.connect(fuse);
  // An open that waits for content would hold up the end of the mount.
  stack.defer(() => local.endFetches());
  const control = controlOf(options, {
    form,
    replica,
    remote,
    sync,
    permits,
    keeper,
    fuse,
    local,
    file,
    transfers,
  });
  stack.use(await serveControl(cacheDir, control, () => fuse.catchUp?.()));
  space.take();
  const contact = await makeContact(sync);
  if (options.warmUp !== "off" && facts.name === "kernel") {
    warmUp = stack.use(
      new WarmUp({
        cacheDir,
        form,
        isBusy: () => sync.isFetching,
        onError: (error) => logger.warn({ err: error }, "warm-up"),
      }),
    );
  }
  const held = stack.move();
  return {
    ...control,
    mountPoint,
    contact,
    closed: fuse.closed,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** What no pattern means any more becomes records; what one means that is in the log stays there. */
async function changeIgnored(
  local: LocalFileSystem,
  file: SettingsFile,
  former: IgnoreRules,
  ignore: IgnoreRules,
  logger: Logger,
): Promise<void> {
  if (isDeepStrictEqual(former.patterns, ignore.patterns)) return;
  const entries = await local.takeUpIgnored(former);
  file.change({ ignore: ignore.patterns });
  const change = { before: former.patterns, now: ignore.patterns, entries };
  logger.warn(change, "other patterns are ignored than before: entries that none means are logged");
}

/** The fileset that the cache is of; a new cache becomes one of what the server serves. */
async function identifyFileset(
  { url, cacheDir }: MountOptions,
  remote: HttpRemote,
): Promise<FilesetId> {
  const found = readCacheIdentity(cacheDir);
  if (found?.url === url) return found.fileset;
  const { id } = await remote.profile();
  claimCache(cacheDir, { fileset: id, url });
  return id;
}

/** Who mounts wants to know whether the server is there, and not to wait for one that is silent. */
async function makeContact(sync: InterSync): Promise<Mount["contact"]> {
  await sync.waitForContact(AbortSignal.timeout(CONTACT_MS)).catch(() => {});
  const { state, isForcedOffline } = sync.status();
  if (isForcedOffline) return "forced-offline";
  return state === "offline" || state === "refused" ? "offline" : "online";
}
