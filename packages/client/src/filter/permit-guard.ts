/**
 * A file system that changes nothing without a permit: every operation that would is refused with EROFS
 * where the gate says so, and all others go through. A file with several names needs a permit for the
 * directories of all of them.
 *
 * What was written when it was allowed is logged however late its descriptor is flushed: only what is
 * new is refused.
 */
import { constants } from "node:fs";

import type { Oid, StateReader } from "@izo/core";

import type { CacheNode } from "../cache/cache-node.ts";
import type { NodeTable } from "../cache/node-table.ts";
import { ErrnoError } from "../fuse/errno.ts";
import type { FileSystem, NodeId } from "../fuse/file-system.ts";
import type { PermitGate } from "../permit/permit-gate.ts";
import { isForWriting } from "./mode-bits.ts";

export interface GuardedTree {
  readonly nodes: NodeTable;
  readonly visible: StateReader;
}

/** Puts the gate in front of a file system. */
export function guardWithPermit(
  fileSystem: FileSystem,
  tree: GuardedTree,
  gate: PermitGate,
): FileSystem {
  /** Where a change of this node is one; nowhere for a removed file that is open still. */
  function directoriesOf(node: CacheNode): Oid[] {
    if (node.kind === "directory") return [node.oid];
    return tree.visible.links(node.oid).map(({ parent }) => parent);
  }

  function checkIn(...directories: NodeId[]): void {
    const oids = directories.map((id) => tree.nodes.get(id).oid);
    if (!gate.mayChangeIn(oids)) throw noPermit();
  }

  function checkNode(id: NodeId): void {
    if (!gate.mayChangeIn(directoriesOf(tree.nodes.get(id)))) throw noPermit();
  }

  function checkOpen(id: NodeId): void {
    if (!gate.mayFinishIn(directoriesOf(tree.nodes.get(id)))) throw noPermit();
  }

  return {
    ...fileSystem,
    announcesEveryWrite: true,
    setattr(node, changes, caller, fd) {
      if (fd === undefined) checkNode(node);
      else checkOpen(node);
      return fileSystem.setattr(node, changes, caller, fd);
    },
    mknod(parent, ...rest) {
      checkIn(parent);
      return fileSystem.mknod(parent, ...rest);
    },
    mkdir(parent, ...rest) {
      checkIn(parent);
      return fileSystem.mkdir(parent, ...rest);
    },
    symlink(parent, ...rest) {
      checkIn(parent);
      return fileSystem.symlink(parent, ...rest);
    },
    link(node, newParent, ...rest) {
      checkIn(newParent);
      fileSystem.link(node, newParent, ...rest);
    },
    unlink(parent, ...rest) {
      checkIn(parent);
      fileSystem.unlink(parent, ...rest);
    },
    rmdir(parent, ...rest) {
      checkIn(parent);
      fileSystem.rmdir(parent, ...rest);
    },
    rename(parent, name, newParent, ...rest) {
      checkIn(parent, newParent);
      fileSystem.rename(parent, name, newParent, ...rest);
    },
    open(node, flags, caller) {
      if (isForWriting(flags) || (flags & constants.O_TRUNC) !== 0) checkNode(node);
      return fileSystem.open(node, flags, caller);
    },
    create(parent, ...rest) {
      checkIn(parent);
      return fileSystem.create(parent, ...rest);
    },
    willWrite(node, ...rest) {
      checkOpen(node);
      fileSystem.willWrite(node, ...rest);
    },
    setxattr(node, ...rest) {
      checkNode(node);
      fileSystem.setxattr(node, ...rest);
    },
    removexattr(node, ...rest) {
      checkNode(node);
      fileSystem.removexattr(node, ...rest);
    },
  };
}

function noPermit(): ErrnoError {
  return new ErrnoError("EROFS", "Cannot change it: this mount does not hold the permit");
}
