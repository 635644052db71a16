import { dirname } from "node:path";

import { findMountNote, mountPointOf } from "./mount-registry.ts";
import { findMount, type KnownMount, NotMountedError } from "./open-mount.ts";

/** A path below a mount point. */
export interface PathInMount {
  readonly mount: KnownMount;
  /** From the root of the fileset: `/a/b`, `/` for the root itself. */
  readonly path: string;
}

/** The mount that a path is on, by its name alone: nothing has to be there. @throws NotMountedError */
export function findPathInMount(path: string): PathInMount {
  const found = findPathInMountIfAny(path);
  if (found === undefined) throw new NotMountedError(path, "no mount of izo is above it");
  return found;
}

/** The same; undefined where the path is on none. */
export function findPathInMountIfAny(path: string): PathInMount | undefined {
  const absolute = mountPointOf(path);
  for (let at = absolute; ; at = dirname(at)) {
    if (findMountNote(at) !== undefined)
      return { mount: findMount(at), path: absolute.slice(at.length) || "/" };
    if (at === dirname(at)) return undefined;
  }
}

/** The mount that all of the paths are on, and each from its root. @throws NotMountedError */
export function findPathsInMount(paths: readonly string[]): {
  readonly mount: KnownMount;
  readonly paths: readonly string[];
} {
  const found = paths.map(findPathInMount);
  const [first] = found;
  if (first === undefined) throw new NotMountedError("", "no path is given");
  const other = found.find(({ mount }) => mount.mountPoint !== first.mount.mountPoint);
  if (other !== undefined)
    throw new NotMountedError(other.mount.mountPoint, "the first path is on another mount");
  return { mount: first.mount, paths: found.map(({ path }) => path) };
}
