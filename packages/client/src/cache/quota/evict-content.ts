/**
 * Takes the content of one file out of the cache: a placeholder is left, as if it had never been opened.
 *
 * Only what can be had again goes (design C4): exactly the content that the server's tree names, with
 * nothing of the file waiting to be sent, and nobody who has it open. Content that was made here is
 * hashed first. The mark says "absent" before the first byte goes, so a crash in between costs a fetch;
 * the worst outcome of a fault here would be to lose somebody's work.
 */
import { closeSync, constants, ftruncateSync, openSync } from "node:fs";

import { EMPTY_SHA256, type Oid, resolveOid, type Sha256, type StateReader } from "@izo/core";
import { futimens } from "@izo/sys";

import type { FileHasher } from "../../sync/seal/hash-file.ts";
import { statInode } from "../inode/inode.ts";
import { ABSENT } from "../inode/object-mark.ts";
import { withUnchangedTimes } from "../inode/unchanged-times.ts";
import type { CacheNode } from "../tree/cache-node.ts";
import { osPath } from "../tree/cache-paths.ts";
import type { CacheTree } from "../tree/cache-tree.ts";

export interface EvictOptions {
  readonly tree: CacheTree;
  /** The server's tree, as far as it was replayed. */
  readonly authoritative: () => StateReader;
  readonly hasher: FileHasher;
}

/** @returns whether the content has gone @throws the disk's errors */
export async function evictContent(options: EvictOptions, oid: Oid): Promise<boolean> {
  const { tree } = options;
  const node = tree.find(resolveOid(oid, tree.visible));
  const sha256 = node === undefined ? undefined : replaceableContent(options, node);
  if (node === undefined || sha256 === undefined) return false;
  if (node.holding.state === "local") {
    if (!(await isContent(options, node, sha256))) return false;
    // A program may have come meanwhile.
    if (replaceableContent(options, node) !== sha256) return false;
    tree.marks.setHolding(node, { state: "content", sha256 });
  }
  leavePlaceholder(tree, node);
  return true;
}

/** The content that the file has here and the server has too; undefined for what must stay. */
function replaceableContent(
  { tree, authoritative }: EvictOptions,
  node: CacheNode,
): Sha256 | undefined {
  const { holding } = node;
  if (node.kind !== "file" || !node.isNamed || !node.isPresent) return undefined;
  if (node.descriptors.size > 0 || node.unlogged.size > 0) return undefined;
  if (node.retiredBase !== undefined) return undefined;
  const shown = tree.visible.object(node.oid);
  const known = authoritative().object(node.oid);
  if (shown === undefined || known === undefined || known.sha256 === null) return undefined;
  // What waits to be acknowledged bears an own record as its version.
  const isAcknowledged =
    shown.contentVersion === known.contentVersion &&
    shown.attributesVersion === known.attributesVersion &&
    shown.sha256 === known.sha256;
  if (!isAcknowledged || known.sha256 === EMPTY_SHA256) return undefined;
  if (holding.state === "content" && holding.sha256 !== known.sha256) return undefined;
  return known.sha256;
}

/** Tells whether what was written here is that content still, and stays so while it is read. */
async function isContent(
  { tree, hasher }: EvictOptions,
  node: CacheNode,
  sha256: Sha256,
): Promise<boolean> {
  const path = tree.nodes.pathOf(node);
  const before = statInode(path);
  if (before === undefined) return false;
  const fd = openSync(
    osPath(path),
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NOATIME,
  );
  try {
    if ((await hasher.hash(fd, before.size)) !== sha256) return false;
  } finally {
    closeSync(fd);
  }
  const after = node.isNamed ? statInode(tree.nodes.pathOf(node)) : undefined;
  return after?.ino === before.ino && after.ctimeNs === before.ctimeNs;
}

function leavePlaceholder(tree: CacheTree, node: CacheNode): void {
  const path = tree.nodes.pathOf(node);
  withUnchangedTimes(tree.nodes, [node], () => {
    const { size, mtimeNs } = statInode(path)!;
    const fd = openSync(osPath(path), constants.O_WRONLY | constants.O_NOFOLLOW);
    try {
      tree.marks.setHolding(node, ABSENT);
      ftruncateSync(fd, 0);
      ftruncateSync(fd, size);
      futimens(fd, "omit", mtimeNs);
    } finally {
      closeSync(fd);
    }
  });
}
