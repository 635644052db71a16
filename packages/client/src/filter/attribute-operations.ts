/** Attributes: getattr, setattr, readlink, statfs. */
import { constants, readlinkSync, statfsSync } from "node:fs";

import { bytesToText, objectPath, type SetattrOperation, type TreeObject } from "@izo/core";
import { AT_FDCWD, fchmodat, fchownat, fstat, type Stat, type TimeNs, utimens } from "@izo/sys";

import type { CacheNode } from "../cache/cache-node.ts";
import { osPath } from "../cache/cache-paths.ts";
import { statInode } from "../cache/inode.ts";
import { ctimeOf } from "../cache/unchanged-times.ts";
import { ErrnoError } from "../fuse/errno.ts";
import type { Caller, FileSystem, SetAttributes } from "../fuse/file-system.ts";
import { withoutSetId } from "../fuse/set-id-bits.ts";
import { ACCESS_ACL, withMode } from "./access-control-list.ts";
import type { Actors } from "./actor.ts";
import { truncateNow, truncateOpen } from "./data-operations.ts";
import { type FilterContext, perform, record } from "./filter-context.ts";
import { inodeNumber } from "./inode-number.ts";

/** What programs read as the best size of a transfer; that of a page, as local file systems say. */
const BLOCK_SIZE_BYTES = 4096;

export function attributeOperations(
  context: FilterContext,
  actors: Actors,
): Pick<FileSystem, "getattr" | "setattr" | "readlink" | "statfs"> {
  const { tree, fetches } = context;
  const { nodes } = tree;

  function statOf(node: CacheNode, fd: number | undefined): Stat {
    const open = fd ?? (node.isNamed ? undefined : node.anyDescriptor);
    if (open !== undefined) return fstat(open);
    const stat = statInode(nodes.pathOf(node));
    if (stat === undefined) throw new ErrnoError("ENOENT", "Cannot stat: the file was removed");
    return stat;
  }

  function truncate(node: CacheNode, sizeBytes: number, handle: number | undefined): void {
    if (handle !== undefined && node.descriptors.get(handle)?.isWritable === true) {
      truncateOpen(context, node, handle, sizeBytes);
      // Its flush logs the content as a whole.
      node.unlogged.add(handle);
      return;
    }
    truncateNow(context, node, sizeBytes);
  }

  /** After every time that an inode has: asked twice, as the first answer may be that of the last one. */
  function laterNs(): bigint {
    context.stampNs();
    return context.stampNs();
  }

  function changeRest(node: CacheNode, changes: SetAttributes, caller: Caller): void {
    const object = tree.objectOf(node);
    const mtimeNs = changes.mtimeNs === "now" ? laterNs() : changes.mtimeNs;
    const times = { atimeNs: changes.atimeNs ?? "omit", mtimeNs: mtimeNs ?? "omit" } as const;
    if (object === undefined || !node.isNamed || node.retiredBase !== undefined) {
      changeNameless(node, changes, times);
      return;
    }
    const attributes = newAttributes(object, changes, caller);
    // While content is being written the CLOSE to come carries its time.
    const isTimeLogged = mtimeNs !== undefined && node.unlogged.size === 0;
    const work = (): void => {
      const path = osPath(nodes.pathOf(node));
      if (attributes !== null) {
        fchownat(AT_FDCWD, path, attributes.uid, attributes.gid, { noFollow: true });
        if (node.kind !== "symlink") fchmodat(AT_FDCWD, path, attributes.mode & 0o7777);
      }
      if (changes.atimeNs !== undefined || mtimeNs !== undefined) {
        node.unlogged.settingTime(() =>
          utimens(path, times.atimeNs, times.mtimeNs, { noFollow: true }),
        );
      }
    };
    if (attributes === null && !isTimeLogged) {
      work();
      return;
    }
    const operation: SetattrOperation = {
      opcode: "SETATTR",
      oid: object.oid,
      path: nodes.shownPath(node),
      attributes: attributes && { base: object.attributesVersion, ...attributes },
      times: isTimeLogged ? { contentBase: object.contentVersion, mtimeNs } : null,
    };
    perform(context, operation, actors.of(caller), work);
    if (attributes !== null) logAcl(object, attributes.mode, caller);
  }

  /** chmod(2) changes the access control list as well, on the disk by itself. */
  function logAcl(object: TreeObject, mode: number, caller: Caller): void {
    const list = object.xattrs.get(ACCESS_ACL);
    if (list === undefined) return;
    const value = withMode(Buffer.from(list.value), mode);
    if (value.equals(list.value)) return;
    const operation = {
      opcode: "SETEXTATTR",
      oid: object.oid,
      path: objectPath(tree.visible, object.oid),
      attribute: ACCESS_ACL,
      value: Uint8Array.from(value),
      base: list.version,
    } as const;
    record(context.log, operation, actors.of(caller));
  }

  return {
    getattr(id, fd) {
      const node = nodes.get(id);
      const stat = statOf(node, fd);
      return {
        ...stat,
        ino: inodeNumber(nodes, node, stat),
        // As btrfs says "not counted": the subdirectories are not made yet.
        nlink: node.kind === "directory" && !node.isPresent ? 1 : stat.nlink,
        // What a directory takes here depends on how much of it was looked at: that is nobody's concern.
        sizeBytes: node.kind === "directory" ? BLOCK_SIZE_BYTES : stat.size,
        ctimeNs: ctimeOf(node, stat.ctimeNs),
        blockSize: BLOCK_SIZE_BYTES,
        isVolatile: node.unlogged.isWatching,
      };
    },

    setattr(id, changes, caller, fd) {
      const node = nodes.get(id);
      const { sizeBytes, ...rest } = changes;
      const change = (): void => {
        if (sizeBytes !== undefined) {
          node.writer = actors.of(caller);
          truncate(node, sizeBytes, fd);
        }
        if (Object.keys(rest).length > 0) changeRest(node, rest, caller);
      };
      // What stays of a longer file is content; of one that ends here nothing is needed.
      const needsContent =
        sizeBytes !== undefined && sizeBytes > 0 && node.kind === "file" && !node.isPresent;
      return needsContent ? fetches.fetch(node.oid).then(change) : change();
    },

    readlink(id) {
      return bytesToText(readlinkSync(osPath(nodes.pathOf(nodes.get(id))), "buffer"));
    },

    statfs() {
      const { bsize, blocks, bfree, bavail, files, ffree } = statfsSync(context.cacheDir);
      return {
        blockSize: bsize,
        blocks,
        blocksFree: bfree,
        blocksAvailable: bavail,
        files,
        filesFree: ffree,
      };
    },
  };
}

/** The owner, group and mode that a change leaves; null where it changes none of them. */
function newAttributes(
  object: TreeObject,
  { mode, uid, gid }: SetAttributes,
  caller: Caller,
): { mode: number; uid: number; gid: number } | null {
  if (mode === undefined && uid === undefined && gid === undefined) return null;
  const type = object.mode & constants.S_IFMT;
  const isOwnerChanged = uid !== undefined || gid !== undefined;
  const kept =
    isOwnerChanged && object.kind !== "directory" ? withoutSetId(object, caller) : object.mode;
  return {
    mode: mode === undefined ? kept : (mode & 0o7777) | type,
    uid: uid ?? object.uid,
    gid: gid ?? object.gid,
  };
}

/** A removed file that is still open: nobody else can see it, nothing is logged. */
function changeNameless(
  node: CacheNode,
  { uid, gid, mode }: SetAttributes,
  { atimeNs, mtimeNs }: { atimeNs: TimeNs; mtimeNs: TimeNs },
): void {
  const fd = node.anyDescriptor;
  if (fd === undefined) throw new ErrnoError("ENOENT", "Cannot change: the file was removed");
  // A descriptor that only names an inode is refused by the calls for descriptors.
  const path = `/proc/self/fd/${fd}`;
  if (uid !== undefined || gid !== undefined) {
    const stat = fstat(fd);
    fchownat(AT_FDCWD, path, uid ?? stat.uid, gid ?? stat.gid);
  }
  if (mode !== undefined) fchmodat(AT_FDCWD, path, mode & 0o7777);
  if (atimeNs !== "omit" || mtimeNs !== "omit") utimens(path, atimeNs, mtimeNs);
}
