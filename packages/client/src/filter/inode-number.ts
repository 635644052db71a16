import { type Oid, ROOT_OID } from "@izo/core";
import type { Stat } from "@izo/sys";

import type { CacheNode } from "../cache/tree/cache-node.ts";
import type { NodeTable } from "../cache/tree/node-table.ts";

/** Numbers of inodes that are no object's any more: above all that {@link numberOfObject} gives. */
const NAMELESS = 1n << 62n;

/** Numbers of what is ignored here, which is no object at all. */
const IGNORED = 1n << 61n;

/**
 * The inode number that programs see: the object's, so that it stays when the content is fetched, at
 * the next mount and on other machines, and programs that compare it (git, tar, rsync) do not start
 * over. What a program saves over another file keeps the number that it had, as on a local disk, until
 * nobody knows it any more. An inode that lost its object to a newer one has its own, so that the two
 * can be told apart.
 */
export function inodeNumber(nodes: NodeTable, node: CacheNode, stat: Stat): bigint {
  const other = nodes.ofObject(node.firstOid);
  const isDoubled = other !== undefined && other !== node && other.firstOid === node.firstOid;
  return isDoubled ? stat.ino | NAMELESS : numberOfNode(node);
}

/** The inode number of the object that an inode was first. */
export function numberOfNode(node: CacheNode): bigint {
  return (node.ino ??= numberOfObject(node.firstOid));
}

/** The inode number of an object that no program has saved over another one. */
export function numberOfObject(oid: Oid): bigint {
  if (oid === ROOT_OID) return 1n;
  return BigInt(`0x${oid.slice(0, 15)}`) || 1n;
}

/** The inode number of what is ignored here: that of its inode, apart from those of objects. */
export function numberOfIgnored(ino: bigint): bigint {
  return ino | IGNORED;
}
