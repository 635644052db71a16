import { statfsSync } from "node:fs";

import type { DriverName } from "./driver-name.ts";
import type { FileSystem } from "./file-system.ts";
import type { FuseMount } from "./fuse-mount.ts";
import { mountFuseNative } from "./fuse-native/fuse-native-driver.ts";
import { mountKernel } from "./kernel/kernel-driver.ts";

export interface MountDriverOptions {
  readonly driver: DriverName;
  /** The kernel refuses every change. */
  readonly isReadOnly?: boolean;
  /** Where the files lie whose descriptors the file system gives out. */
  readonly backingDir: string;
  /** Faults that no caller of the mount is told. */
  readonly onError: (error: unknown) => void;
}

/** OVERLAYFS_SUPER_MAGIC of linux/magic.h: a file system on another one. */
const OVERLAYFS = 0x794c7630;

/**
 * Mounts a file system with one of the drivers.
 *
 * @throws MountError
 */
export async function mountDriver(
  fileSystem: FileSystem,
  mountPoint: string,
  { driver, isReadOnly = false, backingDir, onError }: MountDriverOptions,
): Promise<FuseMount> {
  if (driver === "fuse-native") {
    return await mountFuseNative(fileSystem, mountPoint, { isReadOnly, onError });
  }
  const depth = statfsSync(backingDir).type === OVERLAYFS ? 2 : 1;
  const stackDepth = fileSystem.announcesEveryWrite === true ? 0 : depth;
  return await mountKernel(fileSystem, mountPoint, { isReadOnly, onError, stackDepth });
}
