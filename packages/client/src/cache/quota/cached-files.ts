import { closeSync, constants, openSync } from "node:fs";
import { setImmediate as yieldToRequests } from "node:timers/promises";

import { bytesToText } from "@izo/core";
import { readDirectory, type Stat } from "@izo/sys";

import { statInode } from "../inode/inode.ts";
import { osPath } from "../tree/cache-paths.ts";

/** Programs wait meanwhile: about half a millisecond. */
const INODES_AT_A_TIME = 100;

const BYTES_PER_BLOCK = 512;

/** A file of the cache tree on disk, by one of its names. */
export interface CachedFile {
  readonly path: string;
  readonly stat: Stat;
  /** Of content: a placeholder takes no blocks and counts as nothing. */
  readonly bytes: number;
}

/**
 * All files under a directory of the cache, each inode once. Takes about 4 us per inode, in pieces
 * between which the mount is served; what is moved meanwhile may be missed.
 */
export async function* cachedFiles(directory: string): AsyncGenerator<CachedFile, void> {
  const seen = new Set<bigint>();
  const waiting = [directory];
  let count = 0;
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    for (const { name, type, ino } of list(path)) {
      const child = `${path}/${bytesToText(name)}`;
      if (type === "directory") waiting.push(child);
      if (type !== "file" || seen.has(ino)) continue;
      const stat = statInode(child);
      if (stat === undefined) continue;
      if (stat.nlink > 1) seen.add(ino);
      yield { path: child, stat, bytes: Math.min(stat.size, stat.blocks * BYTES_PER_BLOCK) };
      count += 1;
      // oxlint-disable-next-line no-await-in-loop -- this is the pause
      if (count % INODES_AT_A_TIME === 0) await yieldToRequests();
    }
  }
}

function list(path: string): ReturnType<typeof readDirectory> {
  let fd: number;
  try {
    fd = openSync(osPath(path), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch {
    // It was moved or removed since its parent was listed.
    return [];
  }
  try {
    return readDirectory(fd);
  } finally {
    closeSync(fd);
  }
}
