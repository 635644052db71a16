import { join } from "node:path";

import { UseNote } from "../cache/quota/use-note.ts";
import { makeCachePaths } from "../cache/tree/cache-paths.ts";
import { shortPath } from "../cache/tree/long-path.ts";
import { rescue } from "../cache/tree/rescue.ts";
import { compareCache, type PlacedCacheDifference } from "./compare-cache.ts";
import { readCache } from "./read-cache.ts";

/** What is done about one difference. */
export interface CacheRepair {
  readonly path: string;
  readonly found: string;
  /**
   * - `refetch`: what is here is put aside below CACHE/rescue, and fetched again when it is needed;
   * - `recover`: the next mount compares the cache with its records, and makes or logs what is missing.
   */
  readonly action: "refetch" | "recover";
}

export interface RepairCacheOptions {
  /** Say what would be done, and do nothing. */
  readonly isDryRun: boolean;
  readonly signal: AbortSignal;
}

/**
 * Puts right what can be put right in a cache that no mount uses. Nothing is deleted: bytes that are not
 * what they should be are put aside where the server has the right ones, and are logged as an edit by the
 * next mount where nobody has.
 *
 * @throws NoCacheError, CacheInUseError
 */
export async function repairCache(
  cacheDir: string,
  { isDryRun, signal }: RepairCacheOptions,
): Promise<CacheRepair[]> {
  using cache = readCache(cacheDir);
  // Without an index there is nothing to compare with: the next mount fetches the tree anew.
  if (cache.visible === null) return [];
  const treePath = join(cacheDir, "tree");
  const comparison = { treePath, form: cache.form, visible: cache.visible, isQuick: false, signal };
  const differences: PlacedCacheDifference[] = [];
  for await (const one of compareCache(comparison)) {
    differences.push(one);
  }
  const repairs = differences.map((difference) => {
    const { path, found } = difference;
    const action = isOnServer(difference) ? ("refetch" as const) : ("recover" as const);
    return { path, found, action, cachePath: difference.cachePath };
  });
  if (!isDryRun && repairs.length > 0) {
    // First: whatever is put aside before a crash is made again by the next mount.
    new UseNote(cacheDir).write();
    const { rescue: rescueDir } = makeCachePaths(cacheDir);
    for (const { action, cachePath } of repairs) {
      using at = shortPath(cachePath);
      if (action === "refetch") rescue(at.path, rescueDir);
    }
  }
  return repairs.map(({ path, found, action }) => ({ path, found, action }));
}

/** The right content is there to be fetched: a record of the server's own log names it. */
function isOnServer({ isContent, since }: PlacedCacheDifference): boolean {
  return isContent && since !== null;
}
