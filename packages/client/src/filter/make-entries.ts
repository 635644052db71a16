/** Operations that make a new object: create, mknod, mkdir, symlink. */
import { closeSync, constants, rmSync } from "node:fs";

import {
  type Actor,
  EMPTY_SHA256,
  type Name,
  NAME_MAX_BYTES,
  NO_RECNO,
  textToBytes,
  type TreeObject,
} from "@izo/core";

import { giveAllButTime, makeEmptyDirectory, makeInode } from "../cache/inode/inode.ts";
import { type Holding, WHOLE } from "../cache/inode/object-mark.ts";
import type { CacheNode } from "../cache/tree/cache-node.ts";
import { osPath } from "../cache/tree/cache-paths.ts";
import { ErrnoError } from "../fuse/errno.ts";
import type { Caller, FileSystem } from "../fuse/file-system.ts";
import type { Actors } from "./actor.ts";
import { type FilterContext, perform, record } from "./filter-context.ts";
import { isForWritingAlone } from "./mode-bits.ts";
import { newAttributes } from "./new-attributes.ts";

export function makeEntries(
  context: FilterContext,
  actors: Actors,
): Pick<FileSystem, "create" | "createNameless" | "mknod" | "mkdir" | "symlink"> {
  const { tree, log } = context;
  const { form } = tree;

  /** An object that the caller makes in a directory. */
  function newObject(
    directory: CacheNode,
    kind: TreeObject["kind"],
    mode: number,
    caller: Caller,
    mtimeNs = context.stampNs(),
  ): TreeObject {
    const version = 0 as TreeObject["contentVersion"];
    return {
      oid: context.newOid(),
      kind,
      creator: log.peer,
      ...newAttributes(form, tree.objectOf(directory), { kind, mode }, caller),
      attributesVersion: version,
      sizeBytes: 0,
      mtimeNs,
      sha256: kind === "file" ? EMPTY_SHA256 : null,
      contentVersion: version,
      target: "",
      rdev: 0,
      conflict: null,
    };
  }

  /** Logs the extended attributes of an object that was just made. */
  function logXattrs(directory: CacheNode, name: Name, { oid, xattrs }: TreeObject, actor: Actor) {
    if (xattrs.size === 0) return;
    const path = tree.nodes.shownPathIn(directory, name);
    for (const [attribute, { value }] of xattrs) {
      const operation = {
        opcode: "SETEXTATTR",
        oid,
        path,
        attribute,
        value,
        base: NO_RECNO,
      } as const;
      record(log, operation, actor);
    }
  }

  /** What all records of a new object say. */
  function entryOf(directory: CacheNode, name: Name, object: TreeObject) {
    const { oid, mode, uid, gid, mtimeNs } = object;
    const path = tree.nodes.shownPathIn(directory, name);
    return { oid, parent: directory.oid, name, path, mode, uid, gid, mtimeNs, conflict: null };
  }

  /** The directory, when a new entry of that name can be made in it. */
  function freeIn(parent: number, name: Name): CacheNode {
    const directory = tree.nodes.get(parent);
    checkName(name);
    if (tree.child(directory, name) !== undefined) {
      throw new ErrnoError("EEXIST", `Cannot make ${JSON.stringify(name)}: the name is taken`);
    }
    return directory;
  }

  function adopt(
    directory: CacheNode,
    name: Name,
    object: TreeObject,
    holding: Holding,
  ): CacheNode {
    const node = tree.nodes.add(object.oid, object.kind, holding);
    tree.nodes.link(node, directory, name);
    node.references += 1;
    return node;
  }

  /**
   * Makes an empty file. It comes before its record: then it has the time that the kernel gave it, and the record
   * says that one. What a crash leaves in between is what a program leaves that is killed while it makes a file; for
   * recovery it is a file that was made here.
   */
  function makeFile(parent: number, name: Name, mode: number, caller: Caller) {
    const directory = freeIn(parent, name);
    const planned = newObject(directory, "file", mode, caller, 0n);
    const path = tree.nodes.pathIn(directory, name);
    const actor = actors.of(caller);
    const fd = form.makeFile(path, planned.mode);
    try {
      const made = form.statOf(fd);
      const object = { ...planned, mtimeNs: made.mtimeNs };
      giveAllButTime(form, fd, object, made);
      const operation = { opcode: "CREATE", ...entryOf(directory, name, object) } as const;
      return perform(context, operation, actor, (recno) => {
        const holding = { state: "local", base: { peer: log.peer, recno } } as const;
        form.writeMark(fd, { oid: object.oid, holding });
        const node = adopt(directory, name, object, holding);
        node.writer = actor;
        logXattrs(directory, name, object, actor);
        return { node, fd };
      });
    } catch (error) {
      closeSync(fd);
      rmSync(osPath(path), { force: true });
      throw error;
    }
  }

  return {
    create(parent, name, mode, flags, caller) {
      const { node, fd } = makeFile(parent, name, mode, caller);
      node.addDescriptor(fd, true, false, isForWritingAlone(flags));
      return { node: node.id, fd, keepCache: true };
    },

    createNameless(parent, mode, flags, caller) {
      const { nodes } = tree;
      const object = newObject(nodes.get(parent), "file", mode, caller, 0n);
      // In limbo, which no access control list is inherited from.
      const fd = form.makeNameless(nodes.pathOf(nodes.limbo), object.mode);
      try {
        giveAllButTime(form, fd, object, form.statOf(fd));
        const holding: Holding = { state: "local", base: NO_RECNO };
        form.writeMark(fd, { oid: object.oid, holding });
        const node = nodes.add(object.oid, "file", holding);
        node.isNameless = true;
        node.references += 1;
        node.writer = actors.of(caller);
        node.addDescriptor(fd, true, false, isForWritingAlone(flags));
        return { node: node.id, fd, keepCache: true };
      } catch (error) {
        closeSync(fd);
        throw error;
      }
    },

    mknod(parent, name, mode, rdev, caller) {
      if ((mode & constants.S_IFMT) === constants.S_IFREG) {
        const { node, fd } = makeFile(parent, name, mode, caller);
        closeSync(fd);
        return node.id;
      }
      const directory = freeIn(parent, name);
      const object = { ...newObject(directory, "special", mode, caller), rdev };
      const operation = { opcode: "MKNOD", ...entryOf(directory, name, object), rdev } as const;
      const actor = actors.of(caller);
      return perform(context, operation, actor, () => {
        const holding = makeInode(form, tree.nodes.pathIn(directory, name), object);
        const node = adopt(directory, name, object, holding);
        logXattrs(directory, name, object, actor);
        return node.id;
      });
    },

    mkdir(parent, name, mode, caller) {
      const directory = freeIn(parent, name);
      const object = newObject(directory, "directory", mode, caller);
      const operation = { opcode: "MKDIR", ...entryOf(directory, name, object) } as const;
      const actor = actors.of(caller);
      return perform(context, operation, actor, () => {
        const path = tree.nodes.pathIn(directory, name);
        makeEmptyDirectory(form, path, object);
        const node = adopt(directory, name, object, WHOLE);
        node.knowsAllChildren = true;
        logXattrs(directory, name, object, actor);
        return node.id;
      });
    },

    symlink(parent, name, target, caller) {
      const directory = freeIn(parent, name);
      const object = { ...newObject(directory, "symlink", 0o777, caller), target };
      const operation = { opcode: "SYMLINK", ...entryOf(directory, name, object), target } as const;
      return perform(context, operation, actors.of(caller), () => {
        const holding = makeInode(form, tree.nodes.pathIn(directory, name), object);
        return adopt(directory, name, object, holding).id;
      });
    },
  };
}

/** @throws ErrnoError ENAMETOOLONG: FUSE lets longer names through than any Linux file system takes */
export function checkName(name: Name): void {
  if (name.length * 3 > NAME_MAX_BYTES && textToBytes(name).length > NAME_MAX_BYTES) {
    throw new ErrnoError("ENAMETOOLONG", `Cannot use a name of more than ${NAME_MAX_BYTES} bytes`);
  }
}
