import { dirname, relative } from "node:path";

import { type StandingConflict, toFilesetPath } from "@izo/core";

import { findMountNote, mountPointOf } from "../mounts/mount-registry.ts";
import { findMount, type KnownMount, NotMountedError } from "../mounts/open-mount.ts";
import { NoConflictError } from "./conflict-error.ts";

/** A conflict, and the mount on which the user pointed at it. */
export interface LocatedConflict {
  readonly mount: KnownMount;
  readonly conflict: StandingConflict;
}

/**
 * The conflict at a path below a mount point: that of the copy or, where one copy only conflicts with
 * it, of the file that keeps the name.
 *
 * @throws NoConflictError, NotMountedError, MountNotAnsweringError
 */
export async function locateConflict(path: string): Promise<LocatedConflict> {
  const { mount, filesetPath } = findMountAbove(path);
  const conflicts = await mount.control.conflicts();
  const copy = conflicts.find((conflict) => conflict.copy.path === filesetPath);
  if (copy !== undefined) return { mount, conflict: copy };
  const [conflict, ...others] = conflicts.filter(({ original }) => original?.path === filesetPath);
  if (conflict === undefined) throw new NoConflictError(path, "none stands there");
  if (others.length > 0) {
    const names = [conflict, ...others].map((one) => one.copy.path).join(", ");
    throw new NoConflictError(path, `it has several copies, name one of them: ${names}`);
  }
  return { mount, conflict };
}

/** The mount that a path lies in, and the path within its fileset. */
function findMountAbove(path: string): { mount: KnownMount; filesetPath: string } {
  const absolute = mountPointOf(path);
  for (let above = absolute; ; above = dirname(above)) {
    if (findMountNote(above) !== undefined) {
      return { mount: findMount(above), filesetPath: toFilesetPath(relative(above, absolute)) };
    }
    if (above === dirname(above)) {
      throw new NotMountedError(absolute, "neither it nor a directory above is a mount point");
    }
  }
}
