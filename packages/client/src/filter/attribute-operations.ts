/** Attributes: getattr, setattr, readlink, statfs. */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  openSync,
  readlinkSync,
  statfsSync,
} from "node:fs";

import { bytesToText, ROOT_OID, type SetattrOperation, type TreeObject } from "@izo/core";
import {
  AT_FDCWD,
  fchmodat,
  fchownat,
  fstat,
  futimens,
  type Stat,
  type TimeNs,
  utimens,
} from "@izo/sys";

import type { CacheNode } from "../cache/cache-node.ts";
import { osPath } from "../cache/cache-paths.ts";
import { statInode } from "../cache/inode.ts";
import { ctimeOf } from "../cache/unchanged-times.ts";
import { ErrnoError } from "../fuse/errno.ts";
import type { Caller, FileSystem, SetAttributes } from "../fuse/file-system.ts";
import type { Actors } from "./actor.ts";
import { truncateOpen } from "./data-operations.ts";
import { type FilterContext, perform } from "./filter-context.ts";
import { logContent } from "./log-content.ts";
import { S_ISGID, S_ISUID } from "./mode-bits.ts";

/** What programs read as the best size of a transfer; that of a page, as local file systems say. */
const BLOCK_SIZE_BYTES = 4096;

/** Numbers of inodes that are no object's any more: above all that {@link inodeNumber} gives. */
const NAMELESS = 1n << 62n;

export function attributeOperations(
  context: FilterContext,
  actors: Actors,
): Pick<FileSystem, "getattr" | "setattr" | "readlink" | "statfs"> {
  const { tree, fetches } = context;
  const { nodes } = tree;

  function statOf(node: CacheNode, fd: number | undefined): Stat {
    const open = fd ?? (!node.isNamed ? node.descriptors.keys().next().value : undefined);
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
    const flags = constants.O_WRONLY | constants.O_NOFOLLOW;
    const fd = openSync(osPath(nodes.pathOf(node)), flags);
    try {
      truncateOpen(context, node, fd, sizeBytes);
    } finally {
      closeSync(fd);
    }
    logContent(context, node);
  }

  function changeRest(node: CacheNode, changes: SetAttributes, caller: Caller): void {
    const object = tree.objectOf(node);
    const mtimeNs = changes.mtimeNs === "now" ? context.nowNs() : changes.mtimeNs;
    const times = { atimeNs: changes.atimeNs ?? "omit", mtimeNs: mtimeNs ?? "omit" } as const;
    if (object === undefined || !node.isNamed || node.retiredBase !== undefined) {
      changeNameless(node, changes, times);
      return;
    }
    const attributes = newAttributes(object, changes);
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
  }

  return {
    getattr(id, fd) {
      const node = nodes.get(id);
      const stat = statOf(node, fd);
      return {
        ...stat,
        ino: inodeNumber(node, stat),
        // As btrfs says "not counted": the subdirectories are not made yet.
        nlink: node.kind === "directory" && !node.isPresent ? 1 : stat.nlink,
        // What a directory takes here depends on how much of it was looked at: that is nobody's concern.
        sizeBytes: node.kind === "directory" ? BLOCK_SIZE_BYTES : stat.size,
        ctimeNs: ctimeOf(node, stat.ctimeNs),
        blockSize: BLOCK_SIZE_BYTES,
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

/**
 * The inode number that programs see: the object's, so that it stays when the content is fetched, at
 * the next mount and on other machines, and programs that compare it (git, tar, rsync) do not start
 * over. An inode that lost its object to a newer one has its own, so that the two can be told apart.
 */
function inodeNumber(node: CacheNode, stat: Stat): bigint {
  if (node.oid === ROOT_OID) return 1n;
  const isNameless = !node.isNamed || node.retiredBase !== undefined;
  return isNameless ? stat.ino | NAMELESS : BigInt(`0x${node.oid.slice(0, 15)}`) || 1n;
}

/** The owner, group and mode that a change leaves; null where it changes none of them. */
function newAttributes(
  object: TreeObject,
  { mode, uid, gid }: SetAttributes,
): { mode: number; uid: number; gid: number } | null {
  if (mode === undefined && uid === undefined && gid === undefined) return null;
  const type = object.mode & constants.S_IFMT;
  const isOwnerChanged = uid !== undefined || gid !== undefined;
  const kept =
    isOwnerChanged && object.kind === "file" ? withoutPrivilege(object.mode) : object.mode;
  return {
    mode: mode === undefined ? kept : (mode & 0o7777) | type,
    uid: uid ?? object.uid,
    gid: gid ?? object.gid,
  };
}

/** chown(2) of a file takes away the bits that would run it as its new owner. */
function withoutPrivilege(mode: number): number {
  const isGroupProgram = (mode & (S_ISGID | constants.S_IXGRP)) === (S_ISGID | constants.S_IXGRP);
  return mode & ~S_ISUID & (isGroupProgram ? ~S_ISGID : ~0);
}

/** A removed file that is still open: nobody else can see it, nothing is logged. */
function changeNameless(
  node: CacheNode,
  { uid, gid, mode }: SetAttributes,
  { atimeNs, mtimeNs }: { atimeNs: TimeNs; mtimeNs: TimeNs },
): void {
  const [fd] = node.descriptors.keys();
  if (fd === undefined) throw new ErrnoError("ENOENT", "Cannot change: the file was removed");
  if (uid !== undefined || gid !== undefined) {
    const stat = fstat(fd);
    fchownSync(fd, uid ?? stat.uid, gid ?? stat.gid);
  }
  if (mode !== undefined) fchmodSync(fd, mode & 0o7777);
  if (atimeNs !== "omit" || mtimeNs !== "omit") futimens(fd, atimeNs, mtimeNs);
}
