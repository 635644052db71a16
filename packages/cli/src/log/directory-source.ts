import { hash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { watch } from "node:fs/promises";
import { join } from "node:path";

import { type HashFunction, type KmlReader, openKmlReader, parseSegmentName } from "@izo/core";
import { nodeDisk } from "@izo/sys";

import type { LogSource } from "./log-source.ts";

/** SHA-256 by Node, some ten times as fast as in plain JavaScript. */
export const nodeHash: HashFunction = (bytes) => hash("sha256", bytes, "buffer");

/**
 * The directory of segments that `path` is or leads to, or undefined where there is none: a log itself,
 * a server's state with its `kml/`, or a cache, whose `kml/` has a log for each peer that it was. Of
 * several the one that was written last counts.
 */
export function findLogDirectory(path: string): string | undefined {
  const below = join(path, "kml");
  const direct = [path, below].find(holdsSegments);
  if (direct !== undefined) return direct;
  return namesIn(below)
    .map((name) => join(below, name))
    .filter(holdsSegments)
    .toSorted((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)
    .at(-1);
}

function holdsSegments(directory: string): boolean {
  return namesIn(directory).some((name) => parseSegmentName(name) !== null);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // Not there, no directory, not readable: not a log that can be read.
    return [];
  }
}

/** A log on disk, read as it stands; the process that writes it may be running. */
export function directorySource(directory: string): LogSource {
  // A reader knows the log as it was when it was opened.
  const open = (): KmlReader => openKmlReader(nodeDisk, directory, nodeHash);
  return {
    label: directory,
    async extent() {
      const { oldest, lastRecno: head } = open();
      return { oldest, head };
    },
    async *records(after, { follows, signal }) {
      // Set up before the first read: nothing that is appended in between goes unseen.
      const changes = follows ? watch(directory, { signal }) : undefined;
      let last = after;
      for (;;) {
        for (const scanned of open().read(last)) {
          if (signal.aborted) return;
          yield scanned.decode();
          last = scanned.recno;
        }
        if (changes === undefined || !(await hasChanged(changes, signal))) return;
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function hasChanged(changes: AsyncIterable<unknown>, signal: AbortSignal): Promise<boolean> {
  try {
    for await (const _ of changes) return true;
    return false;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
