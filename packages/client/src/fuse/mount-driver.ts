import { statfsSync } from "node:fs";

import { IzoError } from "@izo/core";

import type { DriverFacts } from "./driver-facts.ts";
import type { DriverChoice } from "./driver-name.ts";
import type { FileSystem } from "./file-system.ts";
import type { FuseMount } from "./fuse-mount.ts";
import { mountKernel } from "./kernel/kernel-driver.ts";
import type { QuickWakeChoice } from "./quick-wake-choice.ts";

export interface MountDriverOptions {
  readonly driver: DriverChoice;
  /** The kernel refuses every change. */
  readonly isReadOnly?: boolean;
  /** See `FuseDeviceOptions`. */
  readonly isForAll?: boolean | undefined;
  /** Where the files lie whose descriptors the file system gives out. */
  readonly backingDir: string;
  /** See `KernelDriverOptions`; the other driver does not say. */
  readonly onAnswered?: (durationMs: number) => number;
  /** Likewise. */
  readonly onSent?: () => void;
  /** Likewise. */
  readonly quickWake?: QuickWakeChoice | undefined;
  /** Faults that no caller of the mount is told. */
  readonly onError: (error: unknown) => void;
}

/** A mount, and what can be said of its driver at any time. */
export interface DrivenMount extends FuseMount {
  facts(): DriverFacts;
}

/** OVERLAYFS_SUPER_MAGIC of linux/magic.h: a file system on another one. */
const OVERLAYFS = 0x794c7630;

/**
 * Mounts a file system with one of the drivers. `auto` is the kernel driver, and `fuse-native` where the
 * kernel is too old for it.
 *
 * @throws MountError; with `kernel` also IzoError `fuse-too-old`
 */
export async function mountDriver(
  fileSystem: FileSystem,
  mountPoint: string,
  options: MountDriverOptions,
): Promise<DrivenMount> {
  const { driver } = options;
  if (driver === "fuse-native") return await mountPortable(fileSystem, mountPoint, options, ASKED);
  try {
    const chosen = driver === "auto" ? "this machine permits it" : ASKED;
    return await mountFast(fileSystem, mountPoint, options, chosen);
  } catch (error) {
    const isTooOld = error instanceof IzoError && error.code === "fuse-too-old";
    if (driver !== "auto" || !isTooOld) throw error;
    return await mountPortable(fileSystem, mountPoint, options, `not kernel: ${error.message}`);
  }
}

const ASKED = "asked for";

async function mountFast(
  fileSystem: FileSystem,
  mountPoint: string,
  options: MountDriverOptions,
  chosen: string,
): Promise<DrivenMount> {
  const { backingDir, isReadOnly = false, isForAll, ...rest } = options;
  const { onAnswered, onSent, quickWake, onError } = rest;
  const depth = statfsSync(backingDir).type === OVERLAYFS ? 2 : 1;
  const stackDepth = fileSystem.announcesEveryWrite === true ? 0 : depth;
  const access = { isReadOnly, isForAll };
  const kernelOptions = { ...access, onAnswered, onSent, quickWake, onError, stackDepth } as const;
  const mount = await mountKernel(fileSystem, mountPoint, kernelOptions);
  return Object.assign(mount, {
    facts: (): DriverFacts => {
      const { protocol, requests, noPassthrough, isByHelper, wakeUps } = mount;
      const way = isByHelper ? `${chosen}, through fusermount3` : chosen;
      const reason = noPassthrough === null ? way : `${way}; no passthrough: ${noPassthrough}`;
      const hasPassthrough = noPassthrough === null;
      return { name: "kernel", protocol, hasPassthrough, reason, requests, wakeUps };
    },
  });
}

async function mountPortable(
  fileSystem: FileSystem,
  mountPoint: string,
  { isReadOnly = false, isForAll, onError }: MountDriverOptions,
  reason: string,
): Promise<DrivenMount> {
  const options = { isReadOnly, onError, ...(isForAll !== undefined && { isForAll }) };
  // Loaded where it is used: what speaks to libfuse takes as long to load as a tenth of all else of a mount.
  const { mountFuseNative } = await import("./fuse-native/fuse-native-driver.ts");
  const mount = await mountFuseNative(fileSystem, mountPoint, options);
  const facts = { name: "fuse-native", protocol: null, hasPassthrough: false } as const;
  return Object.assign(mount, {
    facts: () => ({ ...facts, reason, requests: null, wakeUps: null }),
  });
}
