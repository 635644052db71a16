import { closeSync, constants, openSync } from "node:fs";

import { bytesToText, type Name } from "@izo/core";
import { readDirectory } from "@izo/sys";

import type { CacheNode } from "../cache/tree/cache-node.ts";
import { osPath } from "../cache/tree/cache-paths.ts";
import type { DirectoryEntry } from "../fuse/file-system.ts";
import type { Inodes } from "./drop-name.ts";

const TYPE_BITS: Readonly<Record<string, number>> = {
  fifo: constants.S_IFIFO,
  "character-device": constants.S_IFCHR,
  directory: constants.S_IFDIR,
  "block-device": constants.S_IFBLK,
  file: constants.S_IFREG,
  symlink: constants.S_IFLNK,
  socket: constants.S_IFSOCK,
};

/**
 * The entries of a directory that is on disk.
 *
 * @param keepsAtime whether the listing is no access to the directory
 * @param numberOf the inode number that programs see, of an entry and of its node where that was met
 */
export function listInodes(
  { nodes, form }: Inodes,
  directory: CacheNode,
  keepsAtime: boolean,
  numberOf: (
    entry: { readonly name: Name; readonly ino: bigint },
    met: CacheNode | undefined,
  ) => bigint,
): DirectoryEntry[] {
  const path = nodes.pathOf(directory);
  const flags = constants.O_RDONLY | constants.O_DIRECTORY;
  const fd = openSync(osPath(path), keepsAtime ? flags | constants.O_NOATIME : flags);
  try {
    return readDirectory(fd).map(({ name: bytes, type, ino, position }) => {
      const name = bytesToText(bytes) as Name;
      const met = directory.children.get(name);
      return {
        name,
        bytes,
        type: form.entryType(`${path}/${name}`, TYPE_BITS[type] ?? 0),
        ino: numberOf({ name, ino }, met),
        position,
        node: met?.id,
      };
    });
  } finally {
    closeSync(fd);
  }
}
