import { constants } from "node:fs";

import { isSha256 } from "@izo/core";
import { fstatat, openat2, readDirectory } from "@izo/sys";

import { isRetainedIntact, noteRetained } from "../../db/contents.ts";
import { noteOfStat } from "../../db/disk-notes.ts";
import type { Fileset } from "../fileset.ts";
import { heldFd } from "../tree/tree-directory.ts";
import { hashContent } from "./hash-content.ts";

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;

/**
 * Notes the old contents that are in `objects/` and are not as noted: after a crash, in an index that was
 * made anew, where somebody has touched one. Without a note they would neither count nor ever go (design
 * D8). Each is hashed again, and its time begins anew; what has another hash than its name stays where
 * it is and is no content.
 */
export async function relearnRetained(fileset: Fileset): Promise<void> {
  const { objectsFd, connection, nowNs } = fileset;
  const sinceMs = Number(nowNs() / 1_000_000n);
  using directory = heldFd(openat2(objectsFd, ".", DIRECTORY));
  for (const { name: bytes } of readDirectory(directory.fd)) {
    const name = bytes.toString("latin1");
    if (!isSha256(name)) continue;
    const stat = fstatat(objectsFd, name, { noFollow: true });
    if (isRetainedIntact(connection, name, stat)) continue;
    // oxlint-disable-next-line no-await-in-loop -- one file is hashed at a time
    const found = await hashContent(objectsFd, name, noteOfStat(stat));
    if (found === name) noteRetained(connection, name, stat, sinceMs);
  }
}
