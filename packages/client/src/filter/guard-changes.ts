/**
 * A file system in which a gate stands before every change: what the gate does not allow is refused, as a rule with
 * EROFS, at once and before anything is logged, and all else goes through.
 *
 * EROFS and not EACCES: programs take it for "nothing can be changed here, whoever asks", which it is;
 * of EACCES they think that root, or another mode, would help.
 */
import { constants } from "node:fs";

import type { Name, Oid, StateReader } from "@izo/core";

import type { NodeTable } from "../cache/tree/node-table.ts";
import { ErrnoError } from "../fuse/errno.ts";
import type { FileSystem, NodeId } from "../fuse/file-system.ts";
import type { Change, ChangeGate } from "./change-gate.ts";
import { isForWriting } from "./mode-bits.ts";

export interface GuardedTree {
  readonly nodes: NodeTable;
  readonly visible: StateReader;
}

/** Puts a gate in front of a file system. */
export function guardChanges(
  fileSystem: FileSystem,
  tree: GuardedTree,
  gate: ChangeGate,
): FileSystem {
  const oidOf = (id: NodeId): Oid => tree.nodes.get(id).oid;

  function check(change: () => Change): void {
    if (!gate.isOpen && !gate.mayChange(change())) throw refusal(gate);
  }

  function checkObject(id: NodeId): void {
    check(() => ({ directories: [], objects: [oidOf(id)] }));
  }

  function checkNew(parent: NodeId): void {
    check(() => ({ directories: [oidOf(parent)], objects: [] }));
  }

  function checkNames(...places: readonly (readonly [NodeId, Name])[]): void {
    check(() => {
      const directories = places.map(([parent]) => oidOf(parent));
      const objects = places.flatMap(
        ([parent, name]) => tree.visible.entry(oidOf(parent), name)?.oid ?? [],
      );
      return { directories, objects };
    });
  }

  function checkOpen(id: NodeId): void {
    if (gate.isOpen || gate.mayFinish({ directories: [], objects: [oidOf(id)] })) return;
    throw refusal(gate);
  }

  return {
    ...fileSystem,
    ...(gate.seesWrites && { announcesEveryWrite: true }),
    setattr(node, changes, caller, fd) {
      if (fd === undefined) checkObject(node);
      else checkOpen(node);
      return fileSystem.setattr(node, changes, caller, fd);
    },
    mknod(parent, ...rest) {
      checkNew(parent);
      return fileSystem.mknod(parent, ...rest);
    },
    mkdir(parent, ...rest) {
      checkNew(parent);
      return fileSystem.mkdir(parent, ...rest);
    },
    symlink(parent, ...rest) {
      checkNew(parent);
      return fileSystem.symlink(parent, ...rest);
    },
    link(node, newParent, ...rest) {
      check(() => ({ directories: [oidOf(newParent)], objects: [oidOf(node)] }));
      fileSystem.link(node, newParent, ...rest);
    },
    unlink(parent, name, ...rest) {
      checkNames([parent, name]);
      fileSystem.unlink(parent, name, ...rest);
    },
    rmdir(parent, name, ...rest) {
      checkNames([parent, name]);
      fileSystem.rmdir(parent, name, ...rest);
    },
    rename(parent, name, newParent, newName, ...rest) {
      checkNames([parent, name], [newParent, newName]);
      fileSystem.rename(parent, name, newParent, newName, ...rest);
    },
    open(node, flags, ...rest) {
      if (isForWriting(flags) || (flags & constants.O_TRUNC) !== 0) checkObject(node);
      return fileSystem.open(node, flags, ...rest);
    },
    create(parent, ...rest) {
      checkNew(parent);
      return fileSystem.create(parent, ...rest);
    },
    createNameless(parent, ...rest) {
      checkNew(parent);
      return fileSystem.createNameless(parent, ...rest);
    },
    willWrite(node, ...rest) {
      if (gate.seesWrites) checkOpen(node);
      fileSystem.willWrite(node, ...rest);
    },
    setxattr(node, ...rest) {
      checkObject(node);
      fileSystem.setxattr(node, ...rest);
    },
    removexattr(node, ...rest) {
      checkObject(node);
      fileSystem.removexattr(node, ...rest);
    },
  };
}

/** For what is made past the guarded file system. @throws ErrnoError as the gates say */
export function checkChange(gates: readonly ChangeGate[], change: Change): void {
  for (const gate of gates) if (!gate.isOpen && !gate.mayChange(change)) throw refusal(gate);
}

function refusal(gate: ChangeGate): ErrnoError {
  return new ErrnoError(gate.errno ?? "EROFS", `Cannot change it: ${gate.describe()}`);
}
