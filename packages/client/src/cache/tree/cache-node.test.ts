import type { Oid } from "@izo/core";
import { expect, test } from "vitest";

import { WHOLE } from "../inode/object-mark.ts";
import { CacheNode } from "./cache-node.ts";

test("a mark that is written while an earlier one is synced is still to be synced", async () => {
  const node = new CacheNode(1, "0a".repeat(16) as Oid, "file", WHOLE);
  expect(node.isMarkDirty).toBe(true);
  const disk = Promise.withResolvers<void>();
  const synced = node.syncMark(() => disk.promise);
  node.noteMarkWritten();
  disk.resolve();
  await synced;
  expect(node.isMarkDirty).toBe(true);
  await node.syncMark(async () => {});
  expect(node.isMarkDirty).toBe(false);
  await expect(node.syncMark(() => Promise.reject(new Error("EIO")))).rejects.toThrow("EIO");
  node.noteMarkWritten();
  expect(node.isMarkDirty).toBe(true);
});
