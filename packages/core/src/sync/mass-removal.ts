import type { ClientOperation } from "../kml/operation.ts";

/** A small fileset may well be emptied on purpose. */
const FROM_NAMES = 20;
const FROM_SHARE = 0.9;

/**
 * Tells whether so many names of a fileset are removed at once that somebody has to confirm it: over 90 %,
 * which all that is in the root is, of a fileset of at least 20 (design §7). Client and server ask it, the
 * one before it sends, the other before it takes.
 */
export function isMassRemoval(removed: number, names: number): boolean {
  return names >= FROM_NAMES && removed > names * FROM_SHARE;
}

/**
 * The removals among records after which their path stays empty: who deletes a tree and builds it again
 * removes nothing.
 */
export function lastingRemovals<R extends { readonly operation: ClientOperation }>(
  records: readonly R[],
): R[] {
  const filled = new Set<string>();
  for (const { operation } of records) {
    if (operation.opcode === "RENAME") filled.add(operation.toPath);
    else if ("conflict" in operation && "name" in operation) filled.add(operation.path);
  }
  return records.filter(({ operation }) => {
    const isRemoval = operation.opcode === "UNLINK" || operation.opcode === "RMDIR";
    return isRemoval && !filled.has(operation.path);
  });
}
