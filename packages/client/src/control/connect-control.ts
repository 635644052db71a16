import { IzoError, type StandingConflict } from "@izo/core";
import { callControl, type ControlCall, ControlSilentError } from "@izo/sys";

import type { PinnedObject } from "../keep/pins.ts";
import type { MountSettings } from "../settings/mount-settings.ts";
import type { HeldRemoval } from "../sync/hold/removal-hold.ts";
import type { SalvagePlan } from "../sync/pull/lost-log.ts";
import type { PushPlan } from "../sync/push/plan-push.ts";
import type { Refusal } from "../sync/replica/replica-report.ts";
import type { CacheInspection } from "../verify/inspect-cache.ts";
import type { MountControl, MountStatus } from "./mount-control.ts";

/** Nobody answers on the control socket: the process that served the mount is gone. */
export class MountNotAnsweringError extends IzoError {
  constructor(cacheDir: string, cause: unknown) {
    super(
      "mount-not-answering",
      `Cannot reach the mount of the cache ${JSON.stringify(cacheDir)}: nobody answers`,
      { cacheDir },
      { cause },
    );
  }
}

/** What a mount that was started by an earlier version does not say of itself. */
const UNTOLD = { sinceMs: 0, lagMs: null, pendingBytes: 0, transfers: [] } as const;

/**
 * The control of the mount that uses a cache directory; each call connects anew.
 *
 * Its methods throw MountNotAnsweringError where no process serves that cache, and an IzoError with the
 * code of the mount's own error where it failed there.
 */
export function connectControl(cacheDir: string): MountControl {
  const post = (path: string, rest: Pick<ControlCall, "body" | "signal"> = {}) =>
    call(cacheDir, { method: "POST", path, ...rest });
  return {
    status: async () => {
      const status = (await call(cacheDir, { method: "GET", path: "/status" })) as MountStatus;
      return { ...UNTOLD, ...status };
    },
    metrics: async () => (await call(cacheDir, { method: "GET", path: "/metrics" })) as string,
    flush: async (signal) => void (await post("/flush", { signal })),
    waitFor: async (recno, signal) => void (await post(`/wait?recno=${recno}`, { signal })),
    changeSettings: async (body) => (await post("/settings", { body })) as MountSettings,
    conflicts: async () =>
      (await call(cacheDir, { method: "GET", path: "/conflicts" })) as readonly StandingConflict[],
    refusals: async () =>
      (await call(cacheDir, { method: "GET", path: "/refusals" })) as readonly Refusal[],
    planPush: async () => (await call(cacheDir, { method: "GET", path: "/push-plan" })) as PushPlan,
    confirmRemoval: async () => (await post("/held/confirm")) as HeldRemoval,
    dropRemoval: async () => (await post("/held/drop")) as HeldRemoval,
    planSalvage: async (signal) =>
      (await call(cacheDir, { method: "GET", path: "/salvage", signal })) as SalvagePlan,
    salvage: async (signal) => void (await post("/salvage", { signal })),
    takePermit: async (path, signal) =>
      void (await post(`/permit/take?path=${encodeURIComponent(path)}`, { signal })),
    releasePermit: async (path, signal) =>
      void (await post(`/permit/release?path=${encodeURIComponent(path)}`, { signal })),
    verify: async ({ isQuick }, signal) => {
      const path = isQuick ? "/verify?quick" : "/verify";
      return (await call(cacheDir, { method: "GET", path, signal })) as CacheInspection;
    },
    pin: async (body) => (await post("/pin", { body })) as readonly PinnedObject[],
    unpin: async (body) => (await post("/unpin", { body })) as readonly PinnedObject[],
    pins: async () =>
      (await call(cacheDir, { method: "GET", path: "/pins" })) as readonly PinnedObject[],
    unmount: async () => void (await post("/unmount")),
  };
}

async function call(cacheDir: string, asked: ControlCall): Promise<unknown> {
  try {
    const answer = await callControl(cacheDir, asked);
    if (answer.isDone) return answer.value;
    throw new IzoError(answer.code, answer.message);
  } catch (error) {
    if (!(error instanceof ControlSilentError)) throw error;
    throw new MountNotAnsweringError(cacheDir, error.cause);
  }
}
