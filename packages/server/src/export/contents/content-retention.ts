import { statSync, unlinkSync } from "node:fs";
import { join } from "node:path";

import { forgetRetained, retainedBeyond } from "../../db/contents.ts";
import type { Fileset } from "../fileset.ts";

/** How long old contents are kept (design D8). The oldest go first. */
export interface ContentRetention {
  /** Kept at least so long after it was replaced, whatever the other limits say. */
  readonly minMs: number;
  /** Not kept longer than this. */
  readonly maxAgeMs: number;
  readonly maxCount: number;
  readonly maxBytes: number;
}

const HOUR_MS = 3_600_000;

/**
 * A day is time to fetch the other side of a conflict, or to notice a mistake; a month is what a known
 * peer's records are kept for. The count bounds one directory, the size what nobody asked for.
 */
export const DEFAULT_CONTENT_RETENTION: ContentRetention = {
  minMs: 24 * HOUR_MS,
  maxAgeMs: 30 * 24 * HOUR_MS,
  maxCount: 100_000,
  maxBytes: 10 * 1024 ** 3,
};

/**
 * Drops the old contents that are beyond the limits. Run by the queue, so no push that counted on one is
 * between its look and its apply; one that comes later is told to upload it.
 *
 * The file goes before its note: a crash in between leaves a note without a file, which counts for nothing.
 */
export function dropOldContents(
  fileset: Fileset,
  { minMs, maxAgeMs, maxCount, maxBytes }: ContentRetention,
): void {
  const nowMs = Number(fileset.nowNs() / 1_000_000n);
  const beyond = retainedBeyond(fileset.connection, {
    replacedBeforeMs: nowMs - minMs,
    outlivedBeforeMs: nowMs - maxAgeMs,
    maxCount,
    maxBytes,
  });
  for (const sha256 of beyond) {
    const path = join(fileset.paths.objects, sha256);
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path);
  }
  forgetRetained(fileset.connection, beyond);
}
