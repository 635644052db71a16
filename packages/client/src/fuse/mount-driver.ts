import { statfsSync } from "node:fs";

import { IzoError } from "@izo/core";
import { SysError } from "@izo/sys";

import type { DriverFacts } from "./driver-facts.ts";
import type { DriverChoice } from "./driver-name.ts";
import type { FileSystem } from "./file-system.ts";
import type { FuseMount } from "./fuse-mount.ts";
import { mountFuseNative } from "./fuse-native/fuse-native-driver.ts";
import { mountKernel } from "./kernel/kernel-driver.ts";

export interface MountDriverOptions {
  readonly driver: DriverChoice;
  /** The kernel refuses every change. */
  readonly isReadOnly?: boolean;
  /** Where the files lie whose descriptors the file system gives out. */
  readonly backingDir: string;
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
 * Mounts a file system with one of the drivers. `auto` is the kernel driver, and `fuse-native` where this
 * process or this kernel may not use it.
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
    const obstacle = driver === "auto" ? obstacleOf(error) : undefined;
    if (obstacle === undefined) throw error;
    return await mountPortable(fileSystem, mountPoint, options, `not kernel: ${obstacle}`);
  }
}

const ASKED = "asked for";

async function mountFast(
  fileSystem: FileSystem,
  mountPoint: string,
  { backingDir, isReadOnly = false, onError }: MountDriverOptions,
  chosen: string,
): Promise<DrivenMount> {
  const depth = statfsSync(backingDir).type === OVERLAYFS ? 2 : 1;
  const stackDepth = fileSystem.announcesEveryWrite === true ? 0 : depth;
  const mount = await mountKernel(fileSystem, mountPoint, { isReadOnly, onError, stackDepth });
  return Object.assign(mount, {
    facts: (): DriverFacts => {
      const { protocol, requests, noPassthrough } = mount;
      const reason =
        noPassthrough === null ? chosen : `${chosen}; no passthrough: ${noPassthrough}`;
      const hasPassthrough = noPassthrough === null;
      return { name: "kernel", protocol, hasPassthrough, reason, requests };
    },
  });
}

async function mountPortable(
  fileSystem: FileSystem,
  mountPoint: string,
  { isReadOnly = false, onError }: MountDriverOptions,
  reason: string,
): Promise<DrivenMount> {
  const mount = await mountFuseNative(fileSystem, mountPoint, { isReadOnly, onError });
  const facts = { name: "fuse-native", protocol: null, hasPassthrough: false } as const;
  return Object.assign(mount, { facts: () => ({ ...facts, reason, requests: null }) });
}

/** What keeps this machine from the kernel driver; undefined for what would keep it from the other, too. */
function obstacleOf(error: unknown): string | undefined {
  if (!(error instanceof IzoError)) return undefined;
  if (error.code === "fuse-too-old") return error.message;
  const { cause } = error;
  return cause instanceof SysError && cause.code === "EPERM"
    ? "mounting without fusermount3 takes CAP_SYS_ADMIN"
    : undefined;
}
