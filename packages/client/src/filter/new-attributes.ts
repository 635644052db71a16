import { constants } from "node:fs";

import { NO_RECNO, type TreeObject } from "@izo/core";

import { ACCESS_ACL, DEFAULT_ACL, inherit } from "../cache/inode/access-control-list.ts";
import { type InodeForm, shownOwner } from "../cache/inode/inode-form.ts";
import type { Caller } from "../fuse/file-system.ts";
import { S_ISGID } from "../fuse/set-id-bits.ts";

/** What a directory hands on to what is made in it. */
export type Heritage = Pick<TreeObject, "mode" | "gid" | "xattrs">;

type Xattr = TreeObject["xattrs"] extends ReadonlyMap<string, infer X> ? X : never;

/** Attributes of what the caller makes in a directory, with the group and the lists that Linux gives it. */
export function newAttributes(
  form: InodeForm,
  parent: Heritage | undefined,
  { kind, mode }: Pick<TreeObject, "kind" | "mode">,
  { umask = 0, ...caller }: Caller,
): Pick<TreeObject, "mode" | "uid" | "gid" | "xattrs"> {
  // What the mount shows is what the server gets.
  const { uid, gid } = shownOwner(form, caller);
  const access = newAccess(parent, kind, mode, umask);
  const isInherited = parent !== undefined && (parent.mode & S_ISGID) !== 0;
  // A set-group-ID directory hands on its group, and to directories the bit itself: mkdir(2).
  const inherited = isInherited && kind === "directory" ? S_ISGID : 0;
  const type = kind === "special" ? constants.S_IFMT : 0;
  return {
    mode: (access.mode & (0o7777 | type)) | inherited,
    uid,
    gid: isInherited ? parent.gid : gid,
    xattrs: access.xattrs,
  };
}

/** The mode of a new entry, and what access control lists it has from its directory. */
function newAccess(
  parent: Heritage | undefined,
  kind: TreeObject["kind"],
  mode: number,
  umask: number,
): Pick<TreeObject, "mode" | "xattrs"> {
  const defaults = parent?.xattrs.get(DEFAULT_ACL)?.value;
  if (kind === "symlink") return { mode, xattrs: new Map() };
  if (defaults === undefined) return { mode: mode & ~umask, xattrs: new Map() };
  const inherited = inherit(Buffer.from(defaults), mode);
  const xattrs = new Map<string, Xattr>();
  if (inherited.list !== undefined) xattrs.set(ACCESS_ACL, newXattr(inherited.list));
  if (kind === "directory") xattrs.set(DEFAULT_ACL, newXattr(defaults));
  return { mode: inherited.mode, xattrs };
}

function newXattr(value: Uint8Array): Xattr {
  return { value: Uint8Array.from(value), version: NO_RECNO };
}
