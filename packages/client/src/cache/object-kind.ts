import { constants } from "node:fs";

import type { ObjectKind } from "@izo/core";

/** The kind that the type bits of a mode say. */
export function kindOf(mode: number): ObjectKind {
  switch (mode & constants.S_IFMT) {
    case constants.S_IFREG:
      return "file";
    case constants.S_IFDIR:
      return "directory";
    case constants.S_IFLNK:
      return "symlink";
    default:
      return "special";
  }
}
