/**
 * What stands in the cache and cannot be explained is never removed: it is put aside, into a directory
 * of its own below CACHE/rescue, where only people look and nothing is ever removed by the program.
 */
import { constants, copyFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";

import { IzoError, type ObjectKind } from "@izo/core";

import { isHole } from "../content/examine-content.ts";
import { osPath } from "./cache-paths.ts";

/** Said of a path, so that somebody looks at what was put aside. */
class RescuedError extends IzoError {
  constructor(path: string, why: string, rescuedPath: string) {
    super("rescued", `Cannot say what "${path}" is: ${why}, and was kept as "${rescuedPath}"`, {
      path,
      rescuedPath,
    });
  }
}

/**
 * Puts an inode of the cache aside, with all that is below it.
 *
 * @param rescueDir made where it is missing; on the cache's file system
 * @returns the problem to report
 */
export function rescue(path: string, rescueDir: string): RescuedError {
  const rescuedPath = freePath(path, rescueDir);
  renameSync(osPath(path), osPath(rescuedPath));
  return new RescuedError(path, "it has no mark", rescuedPath);
}

/** Puts a copy of a file aside, of which a power cut has left a part. Otherwise as {@link rescue}. */
export function rescueCopy(path: string, rescueDir: string): RescuedError {
  const rescuedPath = freePath(path, rescueDir);
  copyFileSync(osPath(path), osPath(rescuedPath), constants.COPYFILE_FICLONE);
  return new RescuedError(path, "it holds less than its record says", rescuedPath);
}

function freePath(path: string, rescueDir: string): string {
  mkdirSync(rescueDir, { recursive: true, mode: 0o700 });
  // A directory for each: names that are equal must not meet.
  return `${mkdtempSync(join(rescueDir, "found-"))}/${basename(path)}`;
}

/** Tells whether nothing is lost with an inode but its name and attributes, which are in the index too. */
export function isBlank(path: string, kind: ObjectKind): boolean {
  switch (kind) {
    case "file":
      return isHole(path);
    case "directory":
      return readdirSync(osPath(path)).length === 0;
    case "symlink":
      return false;
    case "special":
      return true;
  }
}
