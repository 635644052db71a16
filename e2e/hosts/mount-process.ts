import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { isRunning } from "@izo/sys";

import { izoJson, tailOf, tryIzo } from "./cli.ts";
import type { NetworkHost } from "./network.ts";

/** What `izo status MNT --json` gives. */
export interface MountState {
  readonly state: string;
  readonly mode: string;
  readonly recno: number;
  readonly headRecno: number;
  readonly pending: number;
  readonly cachedBytes: number;
}

/** A running `izo mount`, in a process of its own. */
export interface MountProcess extends AsyncDisposable {
  readonly mountPoint: string;
  readonly cacheDir: string;
  readonly pid: number;
  status(): Promise<MountState>;
  /** Until the server has acknowledged everything done here; gives the recno up to which this host is. */
  flush(timeoutSeconds?: number): Promise<number>;
  /** Until this host has replayed the server's log up to `recno`. */
  waitFor(recno: number): Promise<void>;
  unmount(): Promise<void>;
  /** SIGKILL; the mount point then answers ENOTCONN. */
  kill(): Promise<void>;
}

export interface MountOptions {
  readonly host: NetworkHost;
  readonly url: string;
  /** Holds `mnt` and `cache` of this host. */
  readonly directory: string;
  readonly mode: "on-demand" | "replica";
  /** More of the command line. */
  readonly options?: readonly string[];
  /** Has commands run as another user; the directory holds `mnt` already then. */
  readonly as?: (command: readonly string[]) => string[];
}

const START_MS = 90_000;

/** Mounts on a host; a second call with the same directory mounts the same cache again. */
export async function startMount(options: MountOptions): Promise<MountProcess> {
  const {
    host,
    url,
    directory,
    mode,
    options: more = [],
    as = (command) => [...command],
  } = options;
  const mountPoint = join(directory, "mnt");
  const cacheDir = join(directory, "cache");
  if (!isMountPointThere(mountPoint)) mkdirSync(mountPoint, { recursive: true });
  const { pid } = await izoJson<{ pid: number }>(
    ["mount", url, mountPoint, "--cache", cacheDir, "--mode", mode, ...more],
    {
      prefix: (command) => host.inside(as(command)),
      timeoutMs: START_MS,
      logFile: join(cacheDir, "mount.log"),
    },
  );
  const logFile = join(cacheDir, "mount.log");
  const izo = <T>(...args: string[]) => izoJson<T>(args, { prefix: as, logFile });
  /** What `izo` gives up by itself after a time is given a little longer. */
  const izoWithin = <T>(seconds: number, ...args: string[]) =>
    izoJson<T>([...args, "--timeout", String(seconds)], {
      prefix: as,
      logFile,
      timeoutMs: seconds * 1000 + 10_000,
    });
  // Its number may be another process's by the time that the test ends.
  let isKilled = false;
  return {
    mountPoint,
    cacheDir,
    pid,
    status: () => izo<MountState>("status", mountPoint),
    flush: async (timeoutSeconds = 50) =>
      (await izoWithin<{ recno: number }>(timeoutSeconds, "flush", mountPoint)).recno,
    waitFor: async (recno) =>
      void (await izoWithin(50, "wait", mountPoint, "--recno", String(recno))),
    unmount: async () => void (await izo("umount", mountPoint)),
    kill: async () => {
      await killProcess(pid);
      isKilled = true;
    },
    // A dead mount that nobody mounted anew comes down with the work directory.
    [Symbol.asyncDispose]: async () => {
      if (!isKilled) await takeDown(mountPoint, pid, logFile, as);
    },
  };
}

/** Looks at the parent: a dead mount answers nothing. */
function isMountPointThere(mountPoint: string): boolean {
  try {
    mkdirSync(mountPoint);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EEXIST";
  }
}

async function killProcess(pid: number): Promise<void> {
  process.kill(pid, "SIGKILL");
  await processEnd(pid);
}

async function processEnd(pid: number): Promise<void> {
  for (let round = 0; isRunning(pid); round++) {
    if (round > 1000) throw new Error(`Cannot end process ${pid}: it still runs after 20 s`);
    await delay(20);
  }
}

async function takeDown(
  mountPoint: string,
  pid: number,
  logFile: string,
  prefix: (command: readonly string[]) => string[],
): Promise<void> {
  const { status, stderr } = await tryIzo(["umount", "--lazy", mountPoint], { prefix });
  if (isRunning(pid)) {
    process.kill(pid, "SIGKILL");
    if (status !== 0) throw new Error(`Cannot unmount ${mountPoint}: ${stderr}${tailOf(logFile)}`);
  }
}
