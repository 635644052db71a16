import { isReplicatedXattr, textToBytes, type TreeObject } from "@izo/core";
import { fchmodat, fchownat, lsetxattr, utimensat } from "@izo/sys";

import { entryPath } from "./found-entry.ts";

/** Gives an inode the attributes of an object. What this user may not set is left, and returned as errors. */
export function setAttributes(
  dirFd: number,
  nameBytes: Uint8Array,
  object: TreeObject,
): readonly Error[] {
  const errors: Error[] = [];
  // The owner first: changing it clears set-user-id bits.
  permitted(errors, () => fchownat(dirFd, nameBytes, object.uid, object.gid, { noFollow: true }));
  if (object.kind !== "symlink") {
    permitted(errors, () => fchmodat(dirFd, nameBytes, object.mode & 0o7777));
    const path = entryPath(dirFd, nameBytes);
    for (const [name, { value }] of object.xattrs) {
      if (isReplicatedXattr(name))
        permitted(errors, () => lsetxattr(path, textToBytes(name), value));
    }
  }
  utimensat(dirFd, nameBytes, "omit", object.mtimeNs, { noFollow: true });
  return errors;
}

/** A server without root keeps everything but what only root may give. */
export function permitted(errors: Error[], change: () => void): void {
  try {
    change();
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== "EPERM" && code !== "ENOTSUP") throw error;
    errors.push(error as Error);
  }
}
