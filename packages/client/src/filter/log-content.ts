import { closeSync, constants, fdatasyncSync, openSync } from "node:fs";

import { type Actor, type Base, type CloseOperation, objectPath } from "@izo/core";
import { fstat, type Stat } from "@izo/sys";

import { statInode } from "../cache/inode/inode.ts";
import type { Holding } from "../cache/inode/object-mark.ts";
import { invalidateNames } from "../cache/notify/invalidate-names.ts";
import type { CacheNode } from "../cache/tree/cache-node.ts";
import { osPath } from "../cache/tree/cache-paths.ts";
import { type FilterContext, record } from "./filter-context.ts";

/** The author of content whose writer is not known: it was open before this process could see who. */
const UNKNOWN: Actor = { uid: 0, gid: 0, groups: [], command: "" };

/**
 * Logs the content of a file as it is now, as an open CLOSE (design D9). Does nothing for a file that
 * was removed here: nobody can find its content any more.
 *
 * @param base the version that the writer started from; by default what the file shows
 * @param found the file's attributes, where they were just asked for
 */
export function logContent(
  context: FilterContext,
  node: CacheNode,
  base?: Base,
  found?: Stat,
): void {
  const { tree, log } = context;
  const isRetired = node.retiredBase !== undefined;
  if (!node.isNamed && !isRetired) return;
  const object = tree.visible.object(node.oid);
  const contentBase = node.retiredBase ?? base ?? object?.contentVersion;
  if (contentBase === undefined) return;
  const stat = found ?? statOf(context, node);
  if (stat === undefined) return;
  const operation: CloseOperation = {
    opcode: "CLOSE",
    oid: node.oid,
    path: isRetired ? objectPath(tree.visible, node.oid) : tree.nodes.shownPath(node),
    contentBase,
    sizeBytes: stat.size,
    mtimeNs: stat.mtimeNs,
    sha256: null,
    conflict: null,
  };
  const recno = record(log, operation, node.writer ?? UNKNOWN);
  tree.marks.holdRecord(node, { peer: log.peer, recno }, contentBase);
  node.heldBefore = undefined;
  if (!isRetired) return;
  tree.reinstate(node);
  invalidateNames(context.notifier, node);
}

function statOf({ tree }: FilterContext, node: CacheNode): Stat | undefined {
  const [fd] = node.descriptors.keys();
  return fd === undefined ? statInode(tree.nodes.pathOf(node)) : fstat(fd);
}

/** Logs what was written and is not in the log yet, before an operation that builds on it. */
export function logUnlogged(context: FilterContext, node: CacheNode): void {
  if (node.unlogged.size > 0) logContent(context, node);
}

/** Marks the content as made here, before it is changed: what a crash leaves is then found (design C6). */
export function markLocal({ tree }: FilterContext, node: CacheNode): void {
  const object = tree.objectOf(node);
  const base = node.retiredBase ?? object?.contentVersion;
  // A file that was removed here has no name and no record to come.
  if (base === undefined || !node.isNamed) return;
  if (node.holding.state === "content") makeDurable(tree.nodes.pathOf(node));
  // What was sealed here is synced, and the server may not have it yet.
  const isSynced = typeof base !== "number" && object !== undefined && object.sha256 !== null;
  const local: Holding = { state: "local", base };
  tree.marks.setHolding(node, isSynced ? { ...local, isSynced } : local);
}

/** Remembers, in the mark that the next sync makes durable, that what was made here was synced. */
export function noteSync({ tree }: FilterContext, node: CacheNode): void {
  const { holding } = node;
  if (holding.state !== "local" || holding.isSynced === true || !node.isNamed) return;
  tree.marks.setHolding(node, { ...holding, isSynced: true });
}

/**
 * {@link markLocal} of a file that was opened for writing where nobody will see whether it is written
 * to. Programs see no other times of it than if it had not been marked.
 */
export function markUnwritten(context: FilterContext, node: CacheNode): void {
  const { holding } = node;
  if (holding.state !== "content" || !node.isNamed) {
    markLocal(context, node);
    return;
  }
  markLocal(context, node);
  if (node.holding.state === "local") node.heldBefore = holding;
}

/** The last one who could have written is gone, and nobody has: the file holds what it held. */
export function restoreUnwritten({ tree }: FilterContext, node: CacheNode): void {
  const { heldBefore } = node;
  node.heldBefore = undefined;
  if (heldBefore === undefined || node.holding.state !== "local") return;
  if (!node.isNamed || node.retiredBase !== undefined || node.unlogged.size > 0) return;
  tree.marks.setHolding(node, heldBefore);
}

/**
 * What was fetched is not synced (docs/decisions/0007). What is edited has to be: after a power cut the
 * rest of a file must not be zeros under a mark that says that they were written here.
 */
function makeDurable(path: string): void {
  const fd = openSync(osPath(path), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
