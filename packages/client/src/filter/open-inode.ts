import { constants, openSync } from "node:fs";

import type { CacheNode } from "../cache/tree/cache-node.ts";
import { osPath } from "../cache/tree/cache-paths.ts";
import type { NodeTable } from "../cache/tree/node-table.ts";
import { ErrnoError } from "../fuse/errno.ts";
import { isForWriting } from "./mode-bits.ts";

/** What of open(2) reaches the file; the kernel has done the rest. */
const KEPT_FLAGS = constants.O_SYNC | constants.O_DSYNC;

/** What says more than that somebody reads. */
const UNUSUAL_FLAGS = KEPT_FLAGS | constants.O_TRUNC;

/**
 * A descriptor of an inode for a program that opens it: one that was kept since the last time, where it
 * does. Truncating is left to the caller.
 */
export function openInode(
  nodes: NodeTable,
  node: CacheNode,
  flags: number,
): { readonly fd: number; readonly isWritable: boolean; readonly isPlain: boolean } {
  const isWritable = isForWriting(flags);
  const isPlain = !isWritable && (flags & UNUSUAL_FLAGS) === 0 && node.isPresent;
  const kept = isPlain ? nodes.kept.take(node) : undefined;
  const access = isWritable ? constants.O_RDWR : constants.O_RDONLY;
  const fd = kept ?? open(nodes, node, access | (flags & KEPT_FLAGS));
  return { fd, isWritable, isPlain };
}

function open(nodes: NodeTable, node: CacheNode, flags: number): number {
  if (node.isNamed) return openSync(osPath(nodes.pathOf(node)), flags | constants.O_NOFOLLOW);
  // Removed, and still open elsewhere: the kernel's side can open it once more.
  const [fd] = node.descriptors.keys();
  if (fd === undefined) throw new ErrnoError("ESTALE", "Cannot open: the file was removed");
  return openSync(`/proc/self/fd/${fd}`, flags);
}
