/**
 * The file system: a filter over the cache tree, as Presto was over ext3 (design C1). Each operation
 * that changes something is checked, logged, and then done on the cache tree; it never waits for the
 * network, except for content that is not there.
 */
import type { FileSystem } from "../fuse/file-system.ts";
import { Actors } from "./actor.ts";
import { attributeOperations } from "./attribute-operations.ts";
import { dataOperations } from "./data-operations.ts";
import type { FilterContext } from "./filter-context.ts";
import { makeEntries } from "./make-entries.ts";
import { nameOperations } from "./name-operations.ts";
import { xattrOperations } from "./xattr-operations.ts";

export function createFilter(context: FilterContext): FileSystem {
  const actors = new Actors(() => Number(context.nowNs() / 1_000_000n));
  return {
    ...nameOperations(context, actors),
    ...makeEntries(context, actors),
    ...dataOperations(context, actors),
    ...attributeOperations(context, actors),
    ...xattrOperations(context, actors),
  };
}
