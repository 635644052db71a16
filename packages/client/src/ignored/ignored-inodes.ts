/**
 * Operations on inodes of the ignored tree: what the filter does to those of the cache tree, without marks
 * and records, as nobody else is ever to know of them.
 */
import { closeSync, constants, fdatasync, fsync, ftruncateSync, truncateSync } from "node:fs";
import { promisify } from "node:util";

import { bytesToText, isReplicatedXattr } from "@izo/core";
import { type Stat, utimens } from "@izo/sys";

import { ACCESS_ACL, DEFAULT_ACL } from "../cache/inode/access-control-list.ts";
import type { CacheNode } from "../cache/tree/cache-node.ts";
import { osPath } from "../cache/tree/cache-paths.ts";
import { syncDirectory } from "../cache/tree/sync-directory.ts";
import { areBlocksInDoubt } from "../filter/blocks-in-doubt.ts";
import { changedAttributes, changeNameless, checkOwner } from "../filter/changed-attributes.ts";
import {
  checkReadName,
  checkXattrName,
  checkXattrValue,
  noSuchAttribute,
  xattrPlace,
} from "../filter/check-xattr.ts";
import { handToReader } from "../filter/close-descriptor.ts";
import { numberOfIgnored } from "../filter/inode-number.ts";
import { openInode } from "../filter/open-inode.ts";
import type { UnseenWriters } from "../filter/unseen-writers.ts";
import { ErrnoError } from "../fuse/errno.ts";
import type { Caller, FileSystem, SetAttributes } from "../fuse/file-system.ts";
import type { IgnoredTree } from "./ignored-tree.ts";

const syncData = promisify(fdatasync);
const syncAll = promisify(fsync);

/** What programs read as the best size of a transfer; that of a page, as local file systems say. */
const BLOCK_SIZE_BYTES = 4096;

export type IgnoredInodes = Pick<
  FileSystem,
  | "forget"
  | "getattr"
  | "setattr"
  | "readlink"
  | "open"
  | "willWrite"
  | "release"
  | "fsync"
  | "fsyncdir"
  | "getxattr"
  | "listxattr"
  | "setxattr"
  | "removexattr"
>;

/**
 * @param unseenWriters watches who writes past the driver: until they are gone, the kernel asks for attributes each time
 * @param nowNs now, for inodes
 */
export function ignoredInodes(
  tree: IgnoredTree,
  unseenWriters: UnseenWriters,
  nowNs: () => bigint,
): IgnoredInodes {
  const { nodes, form } = tree;

  function statOf(node: CacheNode, fd: number | undefined): Stat {
    const open = fd ?? (node.isNamed ? undefined : node.anyDescriptor);
    const stat = open === undefined ? form.stat(nodes.pathOf(node)) : form.statOf(open);
    if (stat === undefined) throw new ErrnoError("ENOENT", "Cannot stat: the file was removed");
    return stat;
  }

  function truncate(node: CacheNode, sizeBytes: number, fd: number | undefined): void {
    if (fd !== undefined && node.descriptors.get(fd)?.isWritable === true)
      ftruncateSync(fd, sizeBytes);
    else truncateSync(osPath(nodes.pathOf(node)), sizeBytes);
  }

  function changeRest(node: CacheNode, changes: SetAttributes, caller: Caller): void {
    const times = {
      atimeNs: changes.atimeNs ?? "omit",
      mtimeNs: changes.mtimeNs ?? "omit",
    } as const;
    if (!node.isNamed) {
      changeNameless(form, node, changes, times);
      return;
    }
    const path = nodes.pathOf(node);
    const { mode, uid, gid } = statOf(node, undefined);
    const attributes = changedAttributes(
      form,
      { kind: node.kind, mode, uid, gid },
      changes,
      caller,
    );
    if (attributes !== null) {
      form.setOwner(path, attributes);
      if (node.kind !== "symlink") form.setMode(path, attributes.mode);
    }
    if (changes.atimeNs !== undefined || changes.mtimeNs !== undefined)
      utimens(osPath(path), times.atimeNs, times.mtimeNs, { noFollow: true });
  }

  function close(node: CacheNode, fd: number): void {
    node.descriptors.delete(fd);
    node.unlogged.delete(fd);
    closeSync(fd);
    nodes.collect(node);
  }

  function read(node: CacheNode, name: string): Buffer | undefined {
    return isReplicatedXattr(name) ? form.getXattr(xattrPlace(nodes, node), name) : undefined;
  }

  return {
    forget(id) {
      const node = nodes.get(id);
      node.references -= 1;
      nodes.collect(node);
    },

    getattr(id, fd) {
      const node = nodes.get(id);
      const stat = statOf(node, fd);
      return {
        ...stat,
        ino: numberOfIgnored(stat.ino),
        sizeBytes: stat.size,
        blockSize: BLOCK_SIZE_BYTES,
        // The kernel may write past the driver as long as somebody has it open for that.
        isVolatile: node.hasWriter || areBlocksInDoubt(stat, nowNs),
      };
    },

    setattr(id, changes, caller, fd) {
      const node = nodes.get(id);
      checkOwner(form, changes);
      const { sizeBytes, ...rest } = changes;
      if (sizeBytes !== undefined) truncate(node, sizeBytes, fd);
      if (Object.keys(rest).length > 0) changeRest(node, rest, caller);
    },

    readlink: (id) => bytesToText(form.readlink(nodes.pathOf(nodes.get(id)))),

    open(id, flags) {
      const node = nodes.get(id);
      const { fd, isWritable, isPlain } = openInode(nodes, node, flags);
      node.addDescriptor(fd, isWritable, isPlain);
      if ((flags & constants.O_TRUNC) !== 0) truncate(node, 0, fd);
      return { fd, keepCache: true };
    },

    willWrite(id, fd, isUnseen) {
      if (isUnseen) nodes.get(id).unlogged.watch(fd);
    },

    release(id, fd) {
      const node = nodes.get(id);
      const isPlain = node.descriptors.get(fd)?.isPlain === true;
      if (isPlain && node.isNamed && nodes.kept.keep(node, fd)) {
        node.descriptors.delete(fd);
        return true;
      }
      if (!node.unlogged.isWatched(fd) || !node.isNamed) {
        close(node, fd);
        return false;
      }
      let last = fd;
      node.descriptors.set(fd, { isWritable: true, isWatch: true });
      unseenWriters.watch({
        openReader: () => (last = handToReader(node, last)),
        onGone: () => close(node, last),
      });
      return false;
    },

    fsync: (_id, fd, dataOnly) => (dataOnly ? syncData(fd) : syncAll(fd)),

    fsyncdir(id) {
      syncDirectory(nodes, nodes.get(id));
    },

    getxattr(id, name) {
      checkReadName(name);
      return read(nodes.get(id), name);
    },

    listxattr: (id) => form.listXattrs(xattrPlace(nodes, nodes.get(id))).filter(isReplicatedXattr),

    setxattr(id, name, value, flags) {
      const node = nodes.get(id);
      checkXattrName(node, name);
      checkXattrValue(name, value, flags, () => read(node, name) !== undefined);
      form.setXattr(xattrPlace(nodes, node), name, value);
    },

    removexattr(id, name) {
      const node = nodes.get(id);
      checkXattrName(node, name);
      if (read(node, name) !== undefined) form.removeXattr(xattrPlace(nodes, node), name);
      // A list that is not there is one that says no more than the mode.
      else if (name !== ACCESS_ACL && name !== DEFAULT_ACL) throw noSuchAttribute(name);
    },
  };
}
