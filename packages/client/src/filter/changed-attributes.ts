/** What setattr leaves of a mode and an owner, whether a record tells of it or not. */
import { constants } from "node:fs";

import type { TreeObject } from "@izo/core";
import { fstat, type TimeNs, utimens } from "@izo/sys";

import type { InodeForm } from "../cache/inode/inode-form.ts";
import type { CacheNode } from "../cache/tree/cache-node.ts";
import { ErrnoError } from "../fuse/errno.ts";
import type { Caller, SetAttributes } from "../fuse/file-system.ts";
import { withoutSetId } from "../fuse/set-id-bits.ts";

/** Who owns everything cannot give it away. @throws ErrnoError EPERM */
export function checkOwner({ soleOwner }: InodeForm, { uid, gid }: SetAttributes): void {
  if (soleOwner === undefined) return;
  if ((uid ?? soleOwner.uid) === soleOwner.uid && (gid ?? soleOwner.gid) === soleOwner.gid) return;
  throw new ErrnoError("EPERM", "Cannot change the owner: on this mount everything is its user's");
}

export type OwnerAndMode = Pick<TreeObject, "mode" | "uid" | "gid">;

/**
 * The owner, group and mode that a change leaves; null where it changes none of them. The owner on the
 * server stays where the mount does not show it.
 */
export function changedAttributes(
  { soleOwner }: InodeForm,
  object: Pick<TreeObject, "kind" | "mode" | "uid" | "gid">,
  { mode, uid, gid }: SetAttributes,
  caller: Caller,
): OwnerAndMode | null {
  if (mode === undefined && uid === undefined && gid === undefined) return null;
  const type = object.mode & constants.S_IFMT;
  const isOwnerChanged = uid !== undefined || gid !== undefined;
  const kept =
    isOwnerChanged && object.kind !== "directory" ? withoutSetId(object, caller) : object.mode;
  return {
    mode: mode === undefined ? kept : (mode & 0o7777) | type,
    uid: soleOwner === undefined ? (uid ?? object.uid) : object.uid,
    gid: soleOwner === undefined ? (gid ?? object.gid) : object.gid,
  };
}

/** A removed file that is still open: nobody else can see it, nothing is logged. */
export function changeNameless(
  form: InodeForm,
  node: CacheNode,
  { uid, gid, mode }: SetAttributes,
  { atimeNs, mtimeNs }: { atimeNs: TimeNs; mtimeNs: TimeNs },
): void {
  const fd = node.anyDescriptor;
  if (fd === undefined) throw new ErrnoError("ENOENT", "Cannot change: the file was removed");
  const stat = fstat(fd);
  const isOwnerChanged = uid !== undefined || gid !== undefined;
  const owner = isOwnerChanged ? { uid: uid ?? stat.uid, gid: gid ?? stat.gid } : undefined;
  form.changeRemains(fd, owner, mode);
  // A descriptor that only names an inode is refused by the calls for descriptors.
  if (atimeNs !== "omit" || mtimeNs !== "omit") utimens(`/proc/self/fd/${fd}`, atimeNs, mtimeNs);
}
