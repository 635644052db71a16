import { setTimeout as delay } from "node:timers/promises";

import { textToBytes } from "@izo/core";
import { fstatat } from "@izo/sys";

import type { DiskNote } from "../../db/disk-notes.ts";
import { readFoundEntry, type FoundEntry } from "../tree/found-entry.ts";

/**
 * Before Linux 6.13, and on file systems without multigrain timestamps (ext2, ext3), the clock that stamps inodes goes on
 * 100 to 1000 times a second (CONFIG_HZ). What is done after a stat, before the next of these moments, leaves the same
 * times: with as many bytes as before, nothing tells of it.
 */
const TICK_MS = 10;

/** Whoever changes it more often than so is seen by the watch, later. */
const MOST_READS = 3;

/** How long it takes until a later change cannot leave the times that were noted; 0 where none can any more. */
export function msUntilRested({ ctimeNs }: DiskNote, nowMs: number): number {
  const restMs = Number(ctimeNs / 1_000_000n) + 1 + TICK_MS - nowMs;
  // A clock that was set back says nothing.
  return restMs > TICK_MS + 1 ? 0 : Math.max(0, restMs);
}

/**
 * An entry as it is when its times tell of every change to come; undefined where it is not there any more. Only what was
 * changed within some milliseconds takes time, which a push has run into: a look at what was quiet does not meet it.
 *
 * It is read anew in any case. How old what was found is counts from when it was found, which may be a while ago.
 */
export async function readWhenRested(
  dirFd: number,
  found: FoundEntry,
): Promise<FoundEntry | undefined> {
  let entry = found;
  for (let reads = 0; reads < MOST_READS; reads += 1) {
    const restMs = msUntilRested(entry.note, Date.now());
    // oxlint-disable-next-line no-await-in-loop -- until it rests
    if (restMs > 0) await delay(restMs);
    const nowMs = Date.now();
    const name = textToBytes(entry.name);
    const stat = fstatat(dirFd, name, { noFollow: true, throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    entry = readFoundEntry(dirFd, entry.parent, entry.name, name, stat);
    if (msUntilRested(entry.note, nowMs) === 0) break;
  }
  return entry;
}
