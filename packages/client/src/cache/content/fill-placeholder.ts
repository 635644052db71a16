import { closeSync, constants, ftruncateSync, openSync } from "node:fs";

import type { Sha256, TreeObject } from "@izo/core";
import { futimens, writeWhole } from "@izo/sys";

import { withUnchangedCtime } from "../inode/unchanged-times.ts";
import type { CacheNode } from "../tree/cache-node.ts";
import { osPath } from "../tree/cache-paths.ts";
import type { CacheTree } from "../tree/cache-tree.ts";

/**
 * Gives a placeholder its content where it stands: a whole one, checked before, that nobody waits for
 * meanwhile. Nobody may have the placeholder open.
 *
 * A second inode that takes its name would cost twice as many calls, and leave an inode to be removed. An ext4
 * without a journal passes over those that were removed lately when it makes the next (`recently_deleted` in
 * fs/ext4/ialloc.c): there 10,000 replaced placeholders cost 0.4 ms for each file.
 *
 * The mark comes last, and until then says that nothing is here: a crash in between costs a fetch.
 *
 * @throws the disk's errors; it is a placeholder then as before
 */
export function fillPlaceholder(
  tree: CacheTree,
  node: CacheNode,
  object: TreeObject,
  content: { readonly sha256: Sha256; readonly bytes: Uint8Array },
): void {
  const { sha256, bytes } = content;
  const holding = { state: "content", sha256 } as const;
  const path = osPath(tree.nodes.pathOf(node));
  const fd = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    withUnchangedCtime(node, fd, () => {
      try {
        writeWhole(fd, bytes);
        if (bytes.length !== object.sizeBytes) ftruncateSync(fd, bytes.length);
        futimens(fd, "omit", object.mtimeNs);
        tree.form.writeMark(fd, { oid: object.oid, holding });
      } catch (error) {
        ftruncateSync(fd, 0);
        ftruncateSync(fd, object.sizeBytes);
        futimens(fd, "omit", object.mtimeNs);
        throw error;
      }
    });
  } finally {
    closeSync(fd);
  }
  node.holding = holding;
  node.noteMarkWritten();
}
