import { utimens } from "@izo/sys";

import type { CacheNode } from "./cache-node.ts";
import { osPath } from "./cache-paths.ts";
import { statInode } from "./inode.ts";
import type { NodeTable } from "./node-table.ts";

/**
 * Does work on the disk that changes nothing a program could see, such as fetching a content, so that
 * the times of the inodes do not tell of it: tar would report that files change under it, git would
 * read them all again.
 *
 * A change time cannot be set. So the one from before is shown for as long as the inode has the one
 * that the work left it; this process remembers both.
 */
export function withUnchangedTimes<T>(
  nodes: NodeTable,
  concerned: readonly CacheNode[],
  work: () => T,
): T {
  const before = concerned.map((node) => ({ node, stat: statInode(nodes.pathOf(node)) }));
  const result = work();
  for (const { node, stat } of before) {
    if (stat === undefined) continue;
    const path = nodes.pathOf(node);
    if (node.kind === "directory") utimens(osPath(path), "omit", stat.mtimeNs);
    const actualNs = statInode(path)?.ctimeNs;
    if (actualNs !== undefined)
      node.shownCtime = { actualNs, shownNs: ctimeOf(node, stat.ctimeNs) };
  }
  return result;
}

/** The change time that programs see of an inode that has this one on disk. */
export function ctimeOf({ shownCtime }: CacheNode, actualNs: bigint): bigint {
  return shownCtime?.actualNs === actualNs ? shownCtime.shownNs : actualNs;
}
