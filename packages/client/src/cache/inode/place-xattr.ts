/** Extended attributes of an inode as they are on disk, by its path or by a descriptor. */
import {
  fgetxattr,
  flistxattr,
  fremovexattr,
  fsetxattr,
  lgetxattr,
  llistxattr,
  lremovexattr,
  lsetxattr,
} from "@izo/sys";

import { osPath } from "../tree/cache-paths.ts";
import type { InodePlace } from "./inode-form.ts";

type XattrName = string | Uint8Array;

export function getXattr(place: InodePlace, name: XattrName): Buffer | undefined {
  return typeof place === "number" ? fgetxattr(place, name) : lgetxattr(osPath(place), name);
}

export function listXattrs(place: InodePlace): Buffer[] {
  return typeof place === "number" ? flistxattr(place) : llistxattr(osPath(place));
}

export function setXattr(place: InodePlace, name: XattrName, value: Uint8Array): void {
  if (typeof place === "number") fsetxattr(place, name, value);
  else lsetxattr(osPath(place), name, value);
}

export function removeXattr(place: InodePlace, name: XattrName): void {
  if (typeof place === "number") fremovexattr(place, name);
  else lremovexattr(osPath(place), name);
}
