import type { Recno, StandingConflict } from "@izo/core";

import type { DriverFacts } from "../fuse/driver-facts.ts";
import type { IgnoredStatus } from "../ignored/ignored-part.ts";
import type { KeptStatus } from "../keep/content-keeper.ts";
import type { PinnedObject } from "../keep/pins.ts";
import type { MountPermit } from "../permit/permit-keeper.ts";
import type { PermitMode } from "../permit/permit-mode.ts";
import type { Transfer } from "../remote/transfer-book.ts";
import type {
  MountSettings,
  OfflinePolicy,
  LiveSettingsChange,
} from "../settings/mount-settings.ts";
import type { HeldRemoval } from "../sync/hold/removal-hold.ts";
import type { SalvagePlan } from "../sync/pull/lost-log.ts";
import type { PushPlan } from "../sync/push/plan-push.ts";
import type { PushWait } from "../sync/push/push-waits.ts";
import type { Refusal } from "../sync/replica/replica-report.ts";
import type { CacheInspection } from "../verify/inspect-cache.ts";

/** What `izo status MNT` shows. Scripts count on these names. */
export interface MountStatus {
  /** Of the connection: `offline`, `bootstrapping`, `polling`, `pushing`, `expired`, `diverged`, `refused`. */
  readonly state: string;
  /** Offline because its user says so: no server is asked. */
  readonly isForcedOffline: boolean;
  /** What becomes of a program that opens absent content while the server cannot be reached. */
  readonly offlinePolicy: OfflinePolicy;
  /** Programs that wait for the server, under the policy `wait`. */
  readonly waitingPrograms: number;
  readonly mode: "on-demand" | "replica";
  /** What speaks to the kernel, why it is this one, and what it was asked so far. */
  readonly driver: DriverFacts;
  /** Every change on the mount fails with EROFS. */
  readonly isReadOnly: boolean;
  /**
   * Changes are allowed below this path, as the server says of the mount's token, and fail with EROFS
   * elsewhere; `/` for all, null for none.
   */
  readonly changesBelow: string | null;
  /** The last record of the server's log that the mount has replayed. */
  readonly recno: Recno;
  /** The last record that the server is known to have. */
  readonly headRecno: Recno;
  /** Since when the connection is in this state, in milliseconds since 1970. */
  readonly sinceMs: number;
  /**
   * Milliseconds since all that the server had was last replayed here; 0 while that is so, null where it
   * never was since the mount began.
   */
  readonly lagMs: number | null;
  /** Own records that the server has not acknowledged yet. */
  readonly pending: number;
  /** Bytes of the contents among them. */
  readonly pendingBytes: number;
  /** What they wait for: the first of them for each reason, and what holds up all of them first. Empty where none wait. */
  readonly waitsFor: readonly PushWait[];
  /** From so many pending on, programs find the disk full when they change something. */
  readonly mostPending: number;
  /**
   * Programs make changes faster than the server takes them: after each 4 ms of answers none is answered for so many
   * milliseconds. 0 as a rule.
   */
  readonly throttleMs: number;
  /** Contents that are being sent or fetched now, and how far each is. */
  readonly transfers: readonly Transfer[];
  /** Replica mode: every content that the tree names is here, as far as is known. */
  readonly isComplete: boolean;
  /** Removals of nearly everything, which wait for somebody's decision; null for none. */
  readonly heldRemoval: HeldRemoval | null;
  /**
   * Files that a program has been writing without a pause for longer than 30 s: the server gets what they
   * hold every 30 s. Since when, in milliseconds since 1970.
   */
  readonly longWritten: readonly { readonly path: string; readonly sinceMs: number }[];
  /** Conflict copies that nobody has decided on. */
  readonly conflicts: number;
  /** What stays on this machine. */
  readonly ignored: IgnoredStatus;
  /** Whether the mount writes without a permit, and those that are wanted or held. */
  readonly permit: { readonly mode: PermitMode; readonly permits: readonly MountPermit[] };
  /** Bytes of content that the cache keeps; null for as many as its disk holds. */
  readonly cacheQuotaBytes: number | null;
  /** What pins and hoard rules keep, and what of it is not here yet; null where there are none. */
  readonly kept: KeptStatus | null;
  /** Content held in the cache, in bytes. */
  readonly cachedBytes: number;
  /** What went wrong last and was not put right since; null for nothing. */
  readonly lastError: {
    readonly code: string;
    readonly message: string;
    /** What a person can do about it. */
    readonly advice: string;
  } | null;
}

/** What one can ask of a running mount, from inside its process or through its control socket. */
export interface MountControl {
  status(): MountStatus | Promise<MountStatus>;
  /** The same, and what its process uses, in the text format of Prometheus. */
  metrics(): string | Promise<string>;
  /** Resolves when every change made before the call is acknowledged by the server. */
  flush(signal: AbortSignal): Promise<void>;
  /** Resolves when the mount has replayed the server's log up to `recno`. */
  waitFor(recno: Recno, signal: AbortSignal): Promise<void>;
  /** Changes settings, durably, and acts on them at once; resolves with all settings. */
  changeSettings(change: LiveSettingsChange): MountSettings | Promise<MountSettings>;
  /** The conflicts that stand in the visible tree, in the order of their paths. */
  conflicts(): Promise<readonly StandingConflict[]>;
  /** The last own changes that the server has refused, the latest first. */
  refusals(): Promise<readonly Refusal[]>;
  /** What a push would do now; nothing is sent. */
  planPush(): Promise<PushPlan>;
  /** Sends the removals that are held; resolves with what they are. */
  confirmRemoval(): Promise<HeldRemoval>;
  /** Takes them back: what they removed is there again. */
  dropRemoval(): Promise<HeldRemoval>;
  /** What {@link salvage} would bring back to a server that was restored from a backup. */
  planSalvage(signal: AbortSignal): Promise<SalvagePlan>;
  /** Brings it back; resolves when it waits to be pushed. */
  salvage(signal: AbortSignal): Promise<void>;
  /** Resolves when the permit of a directory's subtree, `/a/b`, is held; `/` is all of the fileset. */
  takePermit(path: string, signal: AbortSignal): Promise<void>;
  /** Resolves when the permit was handed back, and all that was done under it is on the server. */
  releasePermit(path: string, signal: AbortSignal): Promise<void>;
  /** Checks that records, index, cache and server agree, while programs work. */
  verify(options: { readonly isQuick: boolean }, signal: AbortSignal): Promise<CacheInspection>;
  /** Keeps what is at these paths of the mount, with all below it, wherever it is moved. */
  pin(paths: readonly string[]): Promise<readonly PinnedObject[]>;
  /** Lets go what was pinned there. */
  unpin(paths: readonly string[]): Promise<readonly PinnedObject[]>;
  pins(): Promise<readonly PinnedObject[]>;
  /** Unmounts once operations in flight are done; resolves when the mount is gone. */
  unmount(): Promise<void>;
}
