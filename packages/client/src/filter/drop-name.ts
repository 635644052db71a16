import { closeSync, openSync } from "node:fs";

import type { Name } from "@izo/core";

import type { InodeForm } from "../cache/inode/inode-form.ts";
import type { CacheNode } from "../cache/tree/cache-node.ts";
import { osPath } from "../cache/tree/cache-paths.ts";
import type { NodeTable } from "../cache/tree/node-table.ts";

/** Inodes on disk, and how they show what they are. */
export interface Inodes {
  readonly nodes: NodeTable;
  readonly form: InodeForm;
}

/**
 * Takes a name away by `remove`, a call that can fail; then of this inode only descriptors can be left.
 * Who knows a directory or a special file without one, as its working directory or a FIFO that is
 * open past here, can still ask what it is.
 */
export function dropName(
  { nodes, form }: Inodes,
  directory: CacheNode,
  name: Name,
  remove: () => void,
): void {
  const node = directory.children.get(name);
  const isKept =
    node !== undefined && node.kind !== "file" && node.references > 0 && node.links.length === 1;
  const remains = isKept
    ? openSync(osPath(nodes.pathIn(directory, name)), form.remainsFlags)
    : undefined;
  try {
    remove();
  } catch (error) {
    if (remains !== undefined) closeSync(remains);
    throw error;
  }
  if (node === undefined) return;
  node.remains ??= remains;
  nodes.unlink(directory, name);
  if (!node.isNamed) node.unlogged.clear();
}
