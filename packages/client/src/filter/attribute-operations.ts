/** Attributes: getattr, setattr, readlink, statfs. */
import { statfsSync } from "node:fs";

import { bytesToText, objectPath, type SetattrOperation, type TreeObject } from "@izo/core";
import { futimens, nearestTimeNs, type Stat, type TimeNs, utimens } from "@izo/sys";

import { ACCESS_ACL, withMode } from "../cache/inode/access-control-list.ts";
import type { InodePlace } from "../cache/inode/inode-form.ts";
import { ctimeOf } from "../cache/inode/unchanged-times.ts";
import type { CacheNode } from "../cache/tree/cache-node.ts";
import { osPath } from "../cache/tree/cache-paths.ts";
import { ErrnoError } from "../fuse/errno.ts";
import type { Caller, FileSystem, SetAttributes } from "../fuse/file-system.ts";
import { hasSetId } from "../fuse/set-id-bits.ts";
import type { Actors } from "./actor.ts";
import { areBlocksInDoubt } from "./blocks-in-doubt.ts";
import {
  changedAttributes,
  changeNameless,
  checkOwner,
  type OwnerAndMode,
} from "./changed-attributes.ts";
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
  const { nodes, form } = tree;

  function statOf(node: CacheNode, fd: number | undefined): Stat {
    // Of a content that is read while it comes, the placeholder says what the file is.
    const given = fd !== undefined && node.arriving.has(fd) ? undefined : fd;
    const open = given ?? (node.isNamed ? openDescriptor(node) : node.anyDescriptor);
    if (open !== undefined) return form.statOf(open);
    const stat = form.stat(nodes.pathOf(node));
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
    const mtimeNs = changes.mtimeNs === "now" ? laterNs() : nearest(changes.mtimeNs);
    const times = {
      atimeNs: nearest(changes.atimeNs) ?? "omit",
      mtimeNs: mtimeNs ?? "omit",
    } as const;
    if (object === undefined || !node.isNamed || node.retiredBase !== undefined) {
      changeNameless(form, node, changes, times);
      return;
    }
    const attributes = changedAttributes(form, object, changes, caller);
    // Who sets what is set, as tar(1) does for each file, changes nothing that others know.
    const logged = attributes === null || isSame(attributes, object) ? null : attributes;
    // While content is being written the CLOSE to come carries its time.
    const isTimeLogged = mtimeNs !== undefined && !node.unlogged.noteWrites();
    const work = (): void => {
      const place = openDescriptor(node) ?? nodes.pathOf(node);
      if (attributes !== null) setAttributes(place, object, attributes, changes);
      if (changes.atimeNs !== undefined || mtimeNs !== undefined)
        node.unlogged.settingTime(() => setTimes(place, times));
    };
    if (logged === null && !isTimeLogged) {
      work();
      return;
    }
    const operation: SetattrOperation = {
      opcode: "SETATTR",
      oid: object.oid,
      path: nodes.shownPath(node),
      attributes: logged && { base: object.attributesVersion, ...logged },
      times: isTimeLogged ? { contentBase: object.contentVersion, mtimeNs } : null,
    };
    perform(context, operation, actors.of(caller), work);
    if (logged !== null) logAcl(object, logged.mode, caller);
  }

  /** Calls for what was asked, also where it is so already: each moves the time of change. */
  function setAttributes(
    place: InodePlace,
    object: TreeObject,
    attributes: OwnerAndMode,
    { mode, uid, gid }: SetAttributes,
  ): void {
    const isOwnerAsked = uid !== undefined || gid !== undefined;
    if (isOwnerAsked) form.setOwner(place, attributes);
    if (object.kind === "symlink") return;
    // A disk that changes the owner takes set-ID bits away; one form of inodes has no owner to change.
    const mayHaveLost = isOwnerAsked && hasSetId(attributes.mode);
    const isMoved = mode !== undefined || attributes.mode !== object.mode;
    if (isMoved || mayHaveLost || form.soleOwner !== undefined)
      form.setMode(place, attributes.mode);
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
      const links = node.awaitsRemoval ? 0 : tree.countNames(node, stat.nlink);
      return {
        ...stat,
        ino: inodeNumber(nodes, node, stat),
        // As btrfs says "not counted": the subdirectories are not made yet.
        nlink: node.kind === "directory" && !node.isPresent ? 1 : links,
        // What a directory takes here depends on how much of it was looked at: that is nobody's concern.
        sizeBytes: node.kind === "directory" ? BLOCK_SIZE_BYTES : stat.size,
        // A placeholder takes none; who reads it must not take it for one single hole.
        blocks: node.isArriving && !node.isPresent ? Math.ceil(stat.size / 512) : stat.blocks,
        ctimeNs: ctimeOf(node, stat.ctimeNs),
        blockSize: BLOCK_SIZE_BYTES,
        // A placeholder has none to be written back.
        isVolatile:
          node.unlogged.isWatching || (node.isPresent && areBlocksInDoubt(stat, context.stampNs)),
      };
    },

    setattr(id, changes, caller, fd) {
      const node = nodes.get(id);
      checkOwner(form, changes);
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
      return bytesToText(form.readlink(nodes.pathOf(nodes.get(id))));
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

function isSame(a: OwnerAndMode, b: OwnerAndMode): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}

/** The kernel asks for any time that 64 bits of seconds can say. */
function nearest<T extends TimeNs | undefined>(time: T): T {
  return typeof time === "bigint" ? (nearestTimeNs(time) as T) : time;
}

/** One that is open spares the way along the path. */
function openDescriptor(node: CacheNode): number | undefined {
  return node.descriptors.keys().next().value;
}

function setTimes(
  place: InodePlace,
  { atimeNs, mtimeNs }: { readonly atimeNs: TimeNs; readonly mtimeNs: TimeNs },
): void {
  if (typeof place === "number") futimens(place, atimeNs, mtimeNs);
  else utimens(osPath(place), atimeNs, mtimeNs, { noFollow: true });
}
