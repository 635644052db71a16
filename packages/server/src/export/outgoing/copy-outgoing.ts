import { constants } from "node:fs";
import { copyFile, open } from "node:fs/promises";
import { join } from "node:path";

import { fstatat, renameat2, unlinkat } from "@izo/sys";

import { noteRetained } from "../../db/contents.ts";
import { noteOfStat } from "../../db/disk-notes.ts";
import type { Outgoing } from "../apply/step-context.ts";
import { hashContent } from "../contents/hash-content.ts";
import type { Fileset } from "../fileset.ts";
import { dropName } from "./retain-outgoing.ts";

const OPTIONS = { noFollow: true, throwIfNoEntry: false } as const;

/**
 * Copies the content of an inode that was taken out of the tree and has further names somewhere: who
 * writes to it there must not change what is kept (design D8). Blocks are shared where the file system
 * can. Runs beside the queue, because it may take long.
 *
 * @returns what keeps the copy as old content, or gives it up where it is no longer what it was; to be
 *   run by the queue. A crash before that loses the copy, and nothing else.
 */
export async function copyOutgoing(fileset: Fileset, outgoing: Outgoing): Promise<() => void> {
  const { applyFd, objectsFd, paths, connection, nowNs } = fileset;
  const { item } = outgoing;
  const sha256 = outgoing.sha256!;
  const copy = `${item}.copy`;
  const drop = (): void => {
    if (fstatat(applyFd, copy, OPTIONS) !== undefined) unlinkat(applyFd, copy);
    if (fstatat(applyFd, item, OPTIONS) !== undefined) dropName(fileset, outgoing);
  };
  try {
    const path = join(paths.apply, copy);
    await copyFile(join(paths.apply, item), path, constants.COPYFILE_FICLONE);
    {
      await using file = await open(path);
      await file.datasync();
    }
    const note = noteOfStat(fstatat(applyFd, copy, { noFollow: true }));
    if ((await hashContent(applyFd, copy, note)) !== sha256) return drop;
  } catch (error) {
    // What could not be copied, on a full disk for instance, is not kept; nothing else is affected.
    if (error instanceof Error && "code" in error) return drop;
    throw error;
  }
  return () => {
    renameat2(applyFd, copy, objectsFd, sha256);
    const kept = fstatat(objectsFd, sha256, { noFollow: true });
    noteRetained(connection, sha256, kept, Number(nowNs() / 1_000_000n));
    drop();
  };
}
