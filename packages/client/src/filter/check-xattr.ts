/** What setxattr(2) and its like refuse, and where they find the inode. */
import { isReplicatedXattr, MAX_XATTR_BYTES } from "@izo/core";

import type { InodePlace } from "../cache/inode/inode-form.ts";
import type { CacheNode } from "../cache/tree/cache-node.ts";
import type { NodeTable } from "../cache/tree/node-table.ts";
import { ErrnoError } from "../fuse/errno.ts";

/** linux/xattr.h */
const XATTR_CREATE = 1;
const XATTR_REPLACE = 2;

/** Rights that a program has by itself, whoever runs it: capabilities(7). */
export const CAPABILITY = "security.capability";

/** What Linux file systems know at all; of other names they do not say that they are not set (xattr(7)). */
const NAMESPACES = ["user.", "security.", "trusted."];

/** Where an inode is that has no name any more; undefined for all others, and for what is nowhere. */
export function nameless(node: CacheNode): InodePlace | undefined {
  if (node.isNamed) return undefined;
  const open = node.descriptors.keys().next().value;
  if (open !== undefined || node.kind !== "directory" || node.remains === undefined) return open;
  // A descriptor that only names an inode is refused by the calls for descriptors; the dot makes it a path of no link.
  return `/proc/self/fd/${node.remains}/.`;
}

/** Where an inode is that has no name any more, the path of all others. */
export function xattrPlace(nodes: NodeTable, node: CacheNode): InodePlace {
  return nameless(node) ?? nodes.pathOf(node);
}

/** @throws ErrnoError EOPNOTSUPP */
export function checkXattrName({ kind }: CacheNode, name: string): void {
  if (kind === "symlink")
    throw new ErrnoError("EOPNOTSUPP", `Cannot change ${name}: a symlink has no attributes`);
  if (!isReplicatedXattr(name))
    throw new ErrnoError(
      "EOPNOTSUPP",
      `Cannot change ${name}: it means nothing on another machine`,
    );
}

/** @throws ErrnoError EOPNOTSUPP for a name that is no attribute's, on any file system */
export function checkReadName(name: string): void {
  if (isReplicatedXattr(name) || NAMESPACES.some((prefix) => name.startsWith(prefix))) return;
  throw new ErrnoError("EOPNOTSUPP", `Cannot read ${name}: there are no such attributes`);
}

/** @param flags as of setxattr(2) @throws ErrnoError E2BIG, EEXIST, EINVAL, ENODATA */
export function checkXattrValue(
  name: string,
  value: Uint8Array,
  flags: number,
  isThere: () => boolean,
): void {
  if (value.length > MAX_XATTR_BYTES) {
    throw new ErrnoError(
      "E2BIG",
      `Cannot set ${name}: ${value.length} bytes are more than ${MAX_XATTR_BYTES}`,
    );
  }
  // Linux takes it, says EINVAL to who reads it then, and would on every other machine.
  if (name === CAPABILITY && value.length === 0)
    throw new ErrnoError("EINVAL", `Cannot set ${name}: an empty one says nothing`);
  if ((flags & XATTR_CREATE) !== 0 && isThere())
    throw new ErrnoError("EEXIST", `Cannot make ${name}: it is there`);
  if ((flags & XATTR_REPLACE) !== 0 && !isThere()) throw noSuchAttribute(name);
}

export function noSuchAttribute(name: string): ErrnoError {
  return new ErrnoError("ENODATA", `Cannot find the attribute ${name}: it is not set`);
}
