// fuse
export type { DriverFacts, WakeUpFacts } from "./fuse/driver-facts.ts";
export { type DriverChoice, DRIVER_CHOICES } from "./fuse/driver-name.ts";
export { WARM_UP_CHOICES, type WarmUpChoice } from "./warm-up/warm-up-choice.ts";
export { QUICK_WAKE_CHOICES, type QuickWakeChoice } from "./fuse/quick-wake-choice.ts";

// control
export { connectControl, MountNotAnsweringError } from "./control/connect-control.ts";
export type { MountControl, MountStatus } from "./control/mount-control.ts";

// sync
export type { Refusal } from "./sync/replica/replica-report.ts";
export type { PlannedRecord, PushPlan } from "./sync/push/plan-push.ts";
export type { HeldRemoval } from "./sync/hold/removal-hold.ts";

// mount
export type { Mount, MountOptions } from "./mount.ts";
export { mountFileset } from "./mount-fileset.ts";

// keep
export { type HoardRule, parseHoardFile } from "./keep/hoard-file.ts";
export type { KeptStatus, KeptTally } from "./keep/content-keeper.ts";
export type { PinnedObject } from "./keep/pins.ts";

// settings
export {
  type MountSettings,
  OFFLINE_POLICIES,
  type OfflinePolicy,
} from "./settings/mount-settings.ts";

export { readSettings } from "./settings/settings-file.ts";

// permit
export type { MountPermit } from "./permit/permit-keeper.ts";
export { PERMIT_MODES, type PermitMode } from "./permit/permit-mode.ts";

// remote
export type { CredentialFiles, Credentials } from "./remote/credentials.ts";
export { parseFilesetUrl } from "./remote/fileset-url.ts";
export { HttpRemote } from "./remote/http-remote.ts";

export type { HttpHistory } from "./remote/http-history.ts";

// undo
export {
  applyRemoteUndo,
  planRemoteUndo,
  type PlannedUndo,
  type UndoneOtherwise,
} from "./undo/remote-undo.ts";
export type { UndoSelection } from "./undo/undo-selection.ts";

// sync
export type { SalvagePlan } from "./sync/pull/lost-log.ts";
export type { PushWait, WaitReason } from "./sync/push/push-waits.ts";

// verify
export type { CacheInspection } from "./verify/inspect-cache.ts";
