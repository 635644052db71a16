import type { ObjectKind } from "./tree-object.ts";

/** The type bits of a mode, as Linux has them (linux/stat.h). */
const S_IFMT = 0o170_000;
const S_IFREG = 0o100_000;
const S_IFDIR = 0o040_000;
const S_IFLNK = 0o120_000;

/** The kind that the type bits of a mode say. */
export function kindOfMode(mode: number): ObjectKind {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "file";
    case S_IFDIR:
      return "directory";
    case S_IFLNK:
      return "symlink";
    default:
      return "special";
  }
}
