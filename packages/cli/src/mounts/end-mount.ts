/**
 * Takes a mount down. What the server has not acknowledged stays in the cache's own log; the worst that
 * `--lazy` does is that programs with open files get errors for what they write afterwards.
 */
import { execFileSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

import { MountNotAnsweringError } from "@izo/client";
import { IzoError } from "@izo/core";
import { isRunning, SysError, umount2 } from "@izo/sys";

import { forgetMount } from "./mount-registry.ts";
import { findInMountTable } from "./mount-table.ts";
import type { KnownMount } from "./open-mount.ts";

/** How a mount came down: in order, detached while in use, or found dead and cleared away. */
export type MountEnding = "unmounted" | "detached" | "recovered";

/** A program has files open there, or its working directory. */
export class MountBusyError extends IzoError {
  constructor(mountPoint: string, cause: unknown) {
    super(
      "EBUSY",
      `Cannot unmount ${JSON.stringify(mountPoint)}: a program still uses it`,
      { mountPoint },
      { cause },
    );
  }
}

const PROCESS_POLL_MS = 20;
/** Time for the last sync of the log and the index, on a slow disk. */
const PROCESS_END_MS = 30_000;

/**
 * Unmounts, and waits until the process that served the mount has let go of its cache.
 *
 * @throws MountBusyError unless `isLazy`
 */
export async function endMount(mount: KnownMount, isLazy: boolean): Promise<MountEnding> {
  const ending = await takeDown(mount, isLazy);
  forgetMount(mount.mountPoint);
  return ending;
}

async function takeDown(
  { mountPoint, control, note }: KnownMount,
  isLazy: boolean,
): Promise<MountEnding> {
  const isAnswering = await answers(control.status());
  if (isLazy || !isAnswering) detach(mountPoint);
  else unmount(mountPoint);
  if (!isAnswering) return "recovered";
  // The kernel's part is done; this asks the process to write down what it holds and to end.
  await answers(control.unmount());
  await processEnd(note.pid);
  return isLazy ? "detached" : "unmounted";
}

async function answers(call: unknown): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (error instanceof MountNotAnsweringError) return false;
    throw error;
  }
}

/** From here and not from the serving process: umount(2) may ask the file system something meanwhile. */
function unmount(mountPoint: string): void {
  if (findInMountTable(mountPoint) === undefined) return;
  try {
    umount2(mountPoint);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (error.code === "EBUSY") throw new MountBusyError(mountPoint, error);
    if (error.code !== "EPERM") throw error;
    runFusermount(["-u", mountPoint]);
  }
}

function detach(mountPoint: string): void {
  if (findInMountTable(mountPoint) === undefined) return;
  try {
    umount2(mountPoint, { lazy: true });
  } catch (error) {
    if (!(error instanceof SysError) || error.code !== "EPERM") throw error;
    runFusermount(["-u", "-z", mountPoint]);
  }
}

/** How a user who is not root takes down his own mounts: fusermount3(1) has the right to. */
function runFusermount(args: readonly string[]): void {
  try {
    execFileSync("fusermount3", args, { stdio: ["ignore", "ignore", "pipe"] });
  } catch (cause) {
    const said =
      cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : String(cause);
    const mountPoint = args.at(-1) ?? "";
    if (said.includes("busy")) throw new MountBusyError(mountPoint, cause);
    throw new IzoError(
      "umount-failed",
      `Cannot unmount ${JSON.stringify(mountPoint)}: ${said}`,
      { mountPoint },
      { cause },
    );
  }
}

async function processEnd(pid: number): Promise<void> {
  const endMs = performance.now() + PROCESS_END_MS;
  while (isRunning(pid)) {
    if (performance.now() > endMs) {
      throw new IzoError(
        "timed-out",
        `Cannot see process ${pid} end: it still runs after ${PROCESS_END_MS / 1000} s`,
        { pid },
      );
    }
    await delay(PROCESS_POLL_MS);
  }
}
