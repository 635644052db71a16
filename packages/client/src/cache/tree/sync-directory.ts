import { closeSync, constants, fsyncSync, openSync } from "node:fs";

import type { CacheNode } from "./cache-node.ts";
import { osPath } from "./cache-paths.ts";
import type { NodeTable } from "./node-table.ts";

/** Makes the names in a directory durable. One that was removed, and is open still, has none. */
export function syncDirectory(nodes: NodeTable, directory: CacheNode): void {
  if (!directory.isNamed) return;
  const fd = openSync(osPath(nodes.pathOf(directory)), constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
