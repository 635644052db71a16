import { IzoError, objectAt, objectPath, resolveOid, type StateReader } from "@izo/core";

import type { Pin } from "./keep-rules.ts";

/** A pin as people see it. */
export interface PinnedObject {
  /** Where the object is now; null when it was removed. */
  readonly path: string | null;
  /** Where it was when it was pinned. */
  readonly pinnedPath: string;
}

/** Nothing is at a path that shall be pinned, or nothing that is pinned. */
export class NoSuchPathError extends IzoError {
  constructor(verb: string, path: string, found: string) {
    super("no-such-path", `Cannot ${verb} ${JSON.stringify(path)}: ${found}`, { path });
  }
}

/** Pins what is at these paths of the visible tree, besides what is pinned. @throws NoSuchPathError */
export function addPins(
  pins: readonly Pin[],
  paths: readonly string[],
  visible: StateReader,
): Pin[] {
  const result = [...pins];
  for (const path of paths) {
    const oid = objectAt(visible, path);
    if (oid === undefined) throw new NoSuchPathError("pin", path, "there is nothing");
    if (!result.some((pin) => resolveOid(pin.oid, visible) === oid)) result.push({ oid, path });
  }
  return result;
}

/**
 * Lets go what is pinned at these paths, or was when it was pinned. Other pins stay, also those below.
 *
 * @throws NoSuchPathError
 */
export function removePins(
  pins: readonly Pin[],
  paths: readonly string[],
  visible: StateReader,
): Pin[] {
  let left = [...pins];
  for (const path of paths) {
    const oid = objectAt(visible, path);
    const isAt = (pin: Pin): boolean => resolveOid(pin.oid, visible) === oid;
    const found = left.find(isAt) ?? left.find((pin) => pin.path === path);
    if (found === undefined) throw new NoSuchPathError("unpin", path, "it is not pinned");
    left = left.filter((pin) => pin !== found);
  }
  return left;
}

export function describePins(pins: readonly Pin[], visible: StateReader): PinnedObject[] {
  return pins.map((pin) => {
    const oid = resolveOid(pin.oid, visible);
    const path = visible.object(oid) === undefined ? null : objectPath(visible, oid);
    return { path, pinnedPath: pin.path };
  });
}
