import { fstat, utimens } from "@izo/sys";

import type { CacheNode } from "../tree/cache-node.ts";
import { osPath } from "../tree/cache-paths.ts";
import type { NodeTable } from "../tree/node-table.ts";
import { statInode } from "./inode.ts";

/**
 * Does work on the disk that changes nothing a program could see, such as fetching a content, so that
 * the times of the inodes do not tell of it: tar would report that files change under it, git would
 * read them all again.
 *
 * A change time cannot be set. So the one from before is shown for as long as the inode has the one
 * that the work left it; this process remembers both, and hands them to the next one (`ShownTimes`).
 */
export function withUnchangedTimes<T>(
  nodes: NodeTable,
  concerned: readonly CacheNode[],
  work: () => T,
): T {
  const before = concerned.map((node) => {
    const stat = statInode(nodes.pathOf(node));
    return { node, stat, shownNs: stat && ctimeOf(node, stat.ctimeNs) };
  });
  const result = work();
  for (const { node, stat, shownNs } of before) {
    if (stat === undefined || shownNs === undefined) continue;
    const path = nodes.pathOf(node);
    if (node.kind === "directory") utimens(osPath(path), "omit", stat.mtimeNs);
    const actualNs = statInode(path)?.ctimeNs;
    if (actualNs !== undefined) node.shownCtime = { actualNs, shownNs };
  }
  return result;
}

/** {@link withUnchangedTimes} of an open file whose content and other times the work leaves alone. */
export function withUnchangedCtime(node: CacheNode, fd: number, work: () => void): void {
  const before = ctimeOf(node, fstat(fd).ctimeNs);
  try {
    work();
  } finally {
    node.shownCtime = { actualNs: fstat(fd).ctimeNs, shownNs: before };
  }
}

/** The change time that programs see of an inode that has this one on disk. */
export function ctimeOf({ shownCtime }: CacheNode, actualNs: bigint): bigint {
  return shownCtime?.actualNs === actualNs ? shownCtime.shownNs : actualNs;
}
