/** `mountFileset` in a process of its own, for tests: never blocks the process that serves a mount. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

import { IzoError } from "@izo/core";
import { SysError, umount2 } from "@izo/sys";

import { connectControl } from "../control/connect-control.ts";
import type { MountControl } from "../control/mount-control.ts";
import type { PermitMode } from "../permit/permit-mode.ts";
import type { MountAnswer } from "./serve-mount.ts";

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;

export interface MountPlaces {
  readonly url: string;
  readonly mountPoint: string;
  readonly cacheDir: string;
  readonly permitMode?: PermitMode;
  /** Patterns of what stays here; as it was last by default. */
  readonly ignore?: readonly string[];
}

export interface MountInProcess extends AsyncDisposable {
  readonly control: MountControl;
  stop(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/** @throws IzoError with the code of what `mountFileset` threw there */
export async function mountInProcess(places: MountPlaces): Promise<MountInProcess> {
  const { url, mountPoint, cacheDir, permitMode = "none", ignore } = places;
  const script = new URL("serve-mount.ts", import.meta.url);
  const child = fork(script, [url, mountPoint, cacheDir, permitMode, JSON.stringify({ ignore })], {
    execArgv: ["--conditions=izo:source"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const stop = (signal: "SIGTERM" | "SIGKILL"): Promise<void> => endProcess(child, signal);
  const timeout = AbortSignal.timeout(START_TIMEOUT_MS);
  try {
    const [answer] = (await once(child, "message", { signal: timeout })) as [MountAnswer];
    if (answer.kind === "failed") throw new IzoError(answer.code, answer.message);
  } catch (error) {
    await stop("SIGKILL");
    throw error;
  }
  return {
    control: connectControl(cacheDir),
    stop,
    async [Symbol.asyncDispose]() {
      detach(mountPoint);
      await stop("SIGKILL");
      detach(mountPoint);
    },
  };
}

async function endProcess(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit", { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
  child.kill(signal);
  await exited;
}

function detach(mountPoint: string): void {
  try {
    umount2(mountPoint, { lazy: true });
  } catch (error) {
    if (!(error instanceof SysError && error.code === "EINVAL")) throw error;
  }
}
