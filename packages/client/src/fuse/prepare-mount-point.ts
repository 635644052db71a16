/** What every driver asks of a mount point before it mounts there. */
import { readdirSync, statfsSync, statSync } from "node:fs";

import { IzoError } from "@izo/core";
import { detachDeadWithHelper, SysError, umount2 } from "@izo/sys";

/** The mount point cannot be used, or the kernel refuses. */
export class MountError extends IzoError {
  constructor(code: string, mountPoint: string, found: string, options?: ErrorOptions) {
    super(code, `Cannot mount at ${JSON.stringify(mountPoint)}: ${found}`, { mountPoint }, options);
  }
}

/**
 * Checks that a mount point is an empty directory; one left behind by a process that died is detached first.
 *
 * @throws MountError `mount-point-missing`, `mount-point-not-directory`, `mount-point-not-empty`
 */
export function prepareMountPoint(mountPoint: string): void {
  detachDead(mountPoint);
  const stat = statSync(mountPoint, { throwIfNoEntry: false });
  if (stat === undefined)
    throw new MountError("mount-point-missing", mountPoint, "it does not exist");
  if (!stat.isDirectory()) {
    throw new MountError("mount-point-not-directory", mountPoint, "it is not a directory");
  }
  if (readdirSync(mountPoint).length > 0) {
    throw new MountError("mount-point-not-empty", mountPoint, "the directory is not empty");
  }
}

/**
 * A mount whose server died answers ENOTCONN to everything that the kernel must ask it. statfs(2) is
 * never answered from what the kernel remembers, as stat(2) is for some seconds.
 */
function detachDead(mountPoint: string): void {
  try {
    statfsSync(mountPoint);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOTCONN") detach(mountPoint);
    else if (code !== "ENOENT") throw error;
  }
}

function detach(mountPoint: string): void {
  try {
    umount2(mountPoint, { lazy: true });
  } catch (error) {
    if (!(error instanceof SysError) || error.code !== "EPERM") throw error;
    detachDeadWithHelper(mountPoint);
  }
}
