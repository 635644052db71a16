/**
 * Keeps exports, caches and mounts of one machine out of each other. What is in an export is logged, so a
 * cache in it would be, too, each time that its mount notes how far it has read; and where that is a mount of
 * this very export, each record makes the next one, until the disk is full.
 */
import { existsSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

import { IgnoreRules, IzoError } from "@izo/core";

import { UsageError } from "../usage-error.ts";
import { listMountNotes } from "./mount-registry.ts";
import { findIzoMountAbove, isIn } from "./mount-table.ts";

/** One would be in another. */
export class NestedError extends IzoError {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super("nested", message);
    this.hint = hint;
  }
}

/**
 * @param mountPoint as an absolute path without symlinks
 * @throws NestedError for a cache in a directory that is served, or below the mount itself; UsageError for a
 * file
 */
export async function checkCachePlace(cacheDir: string, mountPoint: string): Promise<void> {
  if (statSync(cacheDir, { throwIfNoEntry: false })?.isDirectory() === false) {
    throw new UsageError(
      `Cannot use the cache "${cacheDir}": it is not a directory`,
      "name a directory with --cache; it is made where it is missing",
    );
  }
  if (isIn(cacheDir, mountPoint)) {
    throw new NestedError(
      `Cannot use the cache "${cacheDir}": the mount at "${mountPoint}" would lie over it`,
      "give another --cache",
    );
  }
  // Only then is a server's code loaded, which a mount starts sooner without.
  if (!isBelowState(resolve(cacheDir))) return;
  const { exportsAbove } = await import("@izo/server");
  const [above] = await exportsAbove(cacheDir);
  if (above === undefined) return;
  throw new NestedError(
    `Cannot use the cache "${cacheDir}": it is in "${above.directory}", which izo serve exports with all that is in it`,
    `give another --cache, or leave this one out of the export: izo serve DIR --ignore '${above.path}/'`,
  );
}

/**
 * @param patterns what is to be left out of the export; undefined for what was left out last
 * @throws NestedError for a directory in a mount, for one in another export, which would export its log, and
 * for one that holds the cache of a mount
 */
export async function checkExportPlace(
  directory: string,
  filesetName: string,
  patterns: readonly string[] | undefined,
): Promise<void> {
  const { exportsAbove, ignoreRulesOf, realPlace } = await import("@izo/server");
  const place = realPlace(resolve(directory));
  // What is none is no export either, which the server says better.
  if (statSync(place, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  const mount = findIzoMountAbove(place);
  if (mount !== undefined) {
    throw new NestedError(
      `Cannot serve "${directory}": it is in "${mount.mountPoint}", a mount of izo`,
      "whoever wants what is in it mounts what this mount does, by the same URL",
    );
  }
  const state = join(place, ".intermezzo");
  const above = (await exportsAbove(state)).find((one) => one.directory !== place);
  if (above !== undefined) {
    throw new NestedError(
      `Cannot serve "${directory}": it is in "${above.directory}", which izo serve exports, and would with the log of this one`,
      `leave the log out there: izo serve DIR --ignore '${above.path}/'`,
    );
  }
  const rules = patterns ? new IgnoreRules(patterns) : ignoreRulesOf(place, filesetName);
  for (const { mountPoint, cacheDir, pid } of listMountNotes()) {
    const path = `/${relative(place, realPlace(cacheDir))}`;
    if (path.startsWith("/../") || rules.ignores(path, true) || !isRunning(pid)) continue;
    throw new NestedError(
      `Cannot serve "${directory}": the cache of the mount at "${mountPoint}" is in it, at "${cacheDir}"`,
      `leave it out with --ignore '${path}/', or give that mount another --cache`,
    );
  }
}

/** Tells whether anything was ever served from a directory above. */
function isBelowState(place: string): boolean {
  const above = dirname(place);
  return above !== place && (existsSync(join(above, ".intermezzo")) || isBelowState(above));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
