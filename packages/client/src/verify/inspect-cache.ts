/**
 * Proves that a cache is what its records say: the own log is checked byte by byte, the index by SQLite,
 * the cache tree against the visible tree, and each content that is here against its hash. `izo verify`
 * calls it, in the process of the mount or, where nobody uses the cache, in its own.
 */

import { hash } from "node:crypto";
import { join } from "node:path";

import {
  KmlDamageError,
  NoLogError,
  verifyLog,
  type HashFunction,
  type PeerId,
  type Recno,
  type StateReader,
} from "@izo/core";
import { nodeDisk } from "@izo/sys";

import type { InodeForm } from "../cache/inode/inode-form.ts";
import type { CacheDifference } from "./cache-difference.ts";
import { compareCache } from "./compare-cache.ts";

/** A cache, open or closed, as far as it has to be known. */
export interface InspectedCache {
  readonly cacheDir: string;
  readonly form: InodeForm;
  readonly peer: PeerId;
  /** Null where the index cannot be read: then nothing is known of the tree. */
  readonly visible: (() => StateReader) | null;
  /** The last record of the server's log that was replayed. */
  readonly recno: Recno;
  /** What is worth knowing of it before anything is compared. */
  readonly notices: readonly string[];
  /** What SQLite finds wrong with the index; null for nothing. */
  readonly indexDamage: string | null;
  readonly isMounted: boolean;
}

export interface InspectCacheOptions {
  /** Hash no content. */
  readonly isQuick: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, bytes: number) => void;
}

export interface CacheInspection {
  /** None is what it should give. */
  readonly differences: readonly CacheDifference[];
  /** What is no difference, and worth knowing. */
  readonly notices: readonly string[];
  readonly recno: Recno;
  /** Names that were compared, and bytes that were hashed. */
  readonly entries: number;
  readonly bytes: number;
  readonly isMounted: boolean;
}

const sha256: HashFunction = (bytes) => hash("sha256", bytes, "buffer");

export async function inspectCache(
  cache: InspectedCache,
  options: InspectCacheOptions,
): Promise<CacheInspection> {
  const { signal, isQuick } = options;
  const differences: CacheDifference[] = [...checkOwnLog(cache), ...checkIndex(cache)];
  let entries = 0;
  let bytes = 0;
  const onEntry = (): void => {
    entries += 1;
    options.onProgress?.(entries, bytes);
  };
  const onHashed = (hashedBytes: number): void => {
    bytes += hashedBytes;
    options.onProgress?.(entries, bytes);
  };
  const { visible, cacheDir, form, recno, isMounted, notices } = cache;
  if (visible !== null) {
    const treePath = join(cacheDir, "tree");
    const comparison = { treePath, form, visible, isQuick, signal, onEntry, onHashed };
    for await (const { path, between, cause, found, since } of compareCache(comparison)) {
      differences.push({ path, between, cause, found, since });
    }
  }
  return { differences, notices, recno, entries, bytes, isMounted };
}

function checkOwnLog({ cacheDir, peer }: InspectedCache): CacheDifference[] {
  const path = `kml/${peer}`;
  try {
    for (const segment of verifyLog(nodeDisk, join(cacheDir, path), sha256)) void segment;
    return [];
  } catch (error) {
    if (error instanceof NoLogError) return [];
    if (!(error instanceof KmlDamageError)) throw error;
    const found = error.message;
    return [{ path, between: "own log", cause: "damaged", found, since: null }];
  }
}

function checkIndex({ indexDamage }: InspectedCache): CacheDifference[] {
  if (indexDamage === null) return [];
  const found = `it cannot be used: ${indexDamage}`;
  return [{ path: "index.sqlite", between: "index", cause: "damaged", found, since: null }];
}
