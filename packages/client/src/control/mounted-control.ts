/** The control of a mount: each question and order of its user, answered by the parts that it is made of. */
import { addAbortListener } from "node:events";
import { join } from "node:path";

import {
  compilePattern,
  IzoError,
  objectAt,
  type Oid,
  processFamilies,
  type Recno,
  writeExposition,
} from "@izo/core";
import { processUsage } from "@izo/sys";

import type { InodeForm } from "../cache/inode/inode-form.ts";
import { measureContent } from "../cache/quota/measure-content.ts";
import type { DrivenMount } from "../fuse/mount-driver.ts";
import type { ContentKeeper } from "../keep/content-keeper.ts";
import { addPins, describePins, type PinnedObject, removePins } from "../keep/pins.ts";
import type { LocalFileSystem } from "../local-file-system.ts";
import type { PermitKeeper } from "../permit/permit-keeper.ts";
import type { PermitMode } from "../permit/permit-mode.ts";
import type { HttpRemote } from "../remote/http-remote.ts";
import type { TransferBook } from "../remote/transfer-book.ts";
import type { MountSettings, SettingsChange } from "../settings/mount-settings.ts";
import type { SettingsFile } from "../settings/settings-file.ts";
import type { InterSync } from "../sync/inter-sync.ts";
import type { LocalReplica } from "../sync/replica/local-replica.ts";
import { describeError } from "../sync/sync-error.ts";
import { inspectMount } from "../verify/inspect-mount.ts";
import type { MountControl, MountStatus } from "./mount-control.ts";
import { mountFamilies } from "./mount-families.ts";

/** Where it is mounted, and how: for as long as it is. */
interface MountPlace {
  readonly mountPoint: string;
  readonly cacheDir: string;
  readonly permitMode?: PermitMode;
  readonly isReadOnly?: boolean;
}

/** What a mount is made of. */
export interface MountParts {
  readonly form: InodeForm;
  readonly replica: LocalReplica;
  readonly remote: HttpRemote;
  readonly sync: InterSync;
  readonly permits: PermitKeeper;
  readonly keeper: ContentKeeper;
  readonly fuse: DrivenMount;
  readonly local: LocalFileSystem;
  readonly file: SettingsFile;
  readonly transfers: TransferBook;
}

/** What a mount is asked and told by its user, done by its parts. */
export function controlOf(
  { cacheDir, mountPoint, permitMode = "none", isReadOnly = false }: MountPlace,
  parts: MountParts,
): MountControl {
  const { form, replica, remote, sync, permits, keeper, fuse, local, file, transfers } = parts;
  const keep = (change: SettingsChange): MountSettings => {
    const settings = file.change(change);
    keeper.keep(settings);
    sync.forgetWanted();
    return settings;
  };
  const listPins = (): PinnedObject[] => describePins(file.settings.pins, replica.visible);
  const readStatus = async (): Promise<MountStatus> => {
    const { offlinePolicy, cacheQuotaBytes, pins, hoard } = file.settings;
    const isKeeping = pins.length > 0 || hoard.length > 0;
    const { owedReason } = local;
    const driver = fuse.facts();
    return {
      ...sync.status(),
      ...(owedReason !== undefined && { lastError: describeError(owedReason, Date.now()) }),
      transfers: transfers.list(),
      driver,
      throttleMs: driver.name === "kernel" ? sync.throttleMs : 0,
      mostPending: local.mostPending,
      isReadOnly,
      offlinePolicy,
      waitingPrograms: local.fetches.waiting,
      longWritten: local.longWritten(),
      conflicts: replica.conflicts().length,
      ignored: local.describeIgnored(),
      permit: { mode: permitMode, permits: permits.list() },
      cacheQuotaBytes,
      kept: isKeeping ? await keeper.look() : null,
      cachedBytes: await measureContent(join(cacheDir, "tree")),
    };
  };
  return {
    status: readStatus,
    metrics: async () =>
      writeExposition([
        ...mountFamilies(await readStatus(), transfers.totals(), { mount: mountPoint }),
        ...processFamilies(processUsage()),
      ]),
    async flush(signal) {
      local.logOwed();
      await sync.flush(signal);
    },
    async waitFor(recno: Recno, signal: AbortSignal) {
      await sync.waitFor(recno, signal);
      // Who has waited sees it: the kernel is told one after the other, and each waits for locks of programs.
      await unlessAborted(fuse.invalidated(), signal);
    },
    changeSettings(change) {
      for (const { pattern } of change.hoard ?? []) compilePattern(pattern);
      const settings = keep(change);
      if (change.cacheQuotaBytes !== undefined) local.quota.setQuota(change.cacheQuotaBytes);
      local.fetches.setPolicy(settings.offlinePolicy);
      local.setStreamFrom(settings.streamFromBytes);
      if (change.isForcedOffline !== undefined) sync.setForcedOffline(change.isForcedOffline);
      return settings;
    },
    async pin(paths) {
      keep({ pins: addPins(file.settings.pins, paths, replica.visible) });
      return listPins();
    },
    async unpin(paths) {
      keep({ pins: removePins(file.settings.pins, paths, replica.visible) });
      return listPins();
    },
    pins: async () => listPins(),
    conflicts: async () => replica.conflicts(),
    refusals: async () => replica.refusals(),
    planPush: async () => sync.planPush(),
    confirmRemoval: async () => sync.confirmRemoval(),
    dropRemoval: async () => sync.dropRemoval(),
    planSalvage: (signal) => sync.planSalvage(signal),
    salvage: (signal) => sync.salvage(signal),
    takePermit: async (path, signal) => permits.take(directoryAt(replica, path), signal),
    releasePermit: async (path, signal) => permits.release(directoryAt(replica, path), signal),
    verify: (options, signal) => inspectMount({ cacheDir, form, replica, remote }, options, signal),
    unmount: async () => {
      local.endFetches();
      await fuse[Symbol.asyncDispose]();
    },
  };
}

/** @throws the signal's reason */
async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  using _ = addAbortListener(signal, () => reject(signal.reason));
  await Promise.race([work, promise]);
}

/** A permit is of a directory that the server knows. @throws IzoError `unknown-directory` */
function directoryAt({ authoritative }: LocalReplica, path: string): Oid {
  const oid = objectAt(authoritative, path);
  if (oid !== undefined && authoritative.object(oid)?.kind === "directory") return oid;
  throw new IzoError(
    "unknown-directory",
    `Cannot find the directory ${JSON.stringify(path)}: the server has none there`,
    { path },
  );
}
