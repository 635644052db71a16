import { closeSync, constants, openSync } from "node:fs";

import type { CacheNode } from "../cache/tree/cache-node.ts";
import type { FilterContext } from "./filter-context.ts";
import { logContent, restoreUnwritten } from "./log-content.ts";

/** Closes a descriptor of a node; what it wrote is logged, or nothing. */
export function closeDescriptor(context: FilterContext, node: CacheNode, fd: number): void {
  const { tree } = context;
  const isWritable = node.descriptors.get(fd)?.isWritable === true;
  node.descriptors.delete(fd);
  node.unlogged.delete(fd);
  closeSync(fd);
  if (isWritable && !node.hasWriter) {
    restoreUnwritten(context, node);
    if (node.retiredBase !== undefined) {
      node.retiredBase = undefined;
      tree.limbo.sweep();
    }
    context.onWriterGone(node.oid);
  }
  tree.nodes.collect(node);
}

/**
 * Takes over a descriptor that its program has closed, and watches for writes through mappings that outlive
 * it: what they write is logged when they are gone, and until then the node has a writer.
 */
export function watchWriters(context: FilterContext, node: CacheNode, fd: number): void {
  let last = fd;
  node.descriptors.set(fd, { isWritable: true, isWatch: true });
  context.unseenWriters.watch({
    openReader: () => (last = handToReader(node, last)),
    onGone: (isMapped) => {
      // A mapped page that was written to before is written to again without a trace in the times.
      if (isMapped || node.unlogged.has(last)) logOrOwe(context, node, last);
      closeDescriptor(context, node, last);
    },
  });
}

/** Nobody but the reader is left here: a lease would be refused for what this process has open itself. */
export function handToReader(node: CacheNode, fd: number): number {
  const reader = openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY);
  node.descriptors.set(reader, { isWritable: true, isWatch: true });
  node.unlogged.hand(fd, reader);
  node.descriptors.delete(fd);
  closeSync(fd);
  return reader;
}

function logOrOwe(context: FilterContext, node: CacheNode, fd: number): void {
  try {
    node.unlogged.logging(fd, (found) => logContent(context, node, undefined, found));
  } catch (error) {
    context.owed.add(node, error);
  }
}
