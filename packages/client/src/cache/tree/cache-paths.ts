import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { textToBytes } from "@izo/core";

/** The directories of a cache that hold what programs see. All are on one file system: names move between them. */
export interface CachePaths {
  /** The visible tree, as far as it was looked at. */
  readonly tree: string;
  /** What is on its way from one name to another, and what lost its name while still open for writing. */
  readonly limbo: string;
  /** Small contents that are being fetched. Emptied at start: a fetch is begun again. */
  readonly staging: string;
  /** Large contents that are being fetched, and what interrupted fetches have left of them. */
  readonly partial: string;
  /** Contents of files that are written without pause, until the server has them. */
  readonly copies: string;
  /** What is ignored here. Made when it is first needed. */
  readonly ignored: string;
  /** What nothing explains, for people to look at. Made when it is first needed. */
  readonly rescue: string;
}

/** Makes the directories of a cache where they are missing. */
export function makeCachePaths(cacheDir: string): CachePaths {
  const paths = {
    tree: join(cacheDir, "tree"),
    limbo: join(cacheDir, "limbo"),
    staging: join(cacheDir, "staging"),
    partial: join(cacheDir, "partial"),
    copies: join(cacheDir, "copies"),
    ignored: join(cacheDir, "ignored"),
    rescue: join(cacheDir, "rescue"),
  };
  // Only the mount gives access to what is inside, and checks it (`default_permissions`).
  for (const path of [paths.tree, paths.limbo, paths.staging]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
  return paths;
}

/** A path as system calls want it: names that are not UTF-8 only survive as bytes. */
export function osPath(path: string): string | Buffer {
  return path.isWellFormed() ? path : Buffer.from(textToBytes(path));
}
