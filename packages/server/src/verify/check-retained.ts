import { constants } from "node:fs";

import { isSha256 } from "@izo/core";
import { fstatat, openat, readDirectory } from "@izo/sys";

import { noteOfStat } from "../db/disk-notes.ts";
import { hashContent } from "../export/contents/hash-content.ts";
import { heldFd } from "../export/tree/tree-directory.ts";
import type { Difference } from "./difference.ts";

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;

/** Old contents that do not have the hash that they are kept under. */
export async function* checkRetained(
  objectsPath: string,
  signal: AbortSignal,
): AsyncGenerator<Difference> {
  using directory = heldFd(openat(-1, objectsPath, DIRECTORY));
  for (const { name: bytes } of readDirectory(directory.fd)) {
    signal.throwIfAborted();
    const name = bytes.toString("latin1");
    const stat = fstatat(directory.fd, bytes, { noFollow: true, throwIfNoEntry: false });
    if (stat === undefined || !isSha256(name)) continue;
    // oxlint-disable-next-line no-await-in-loop -- one file is hashed at a time
    const found = await hashContent(directory.fd, bytes, noteOfStat(stat), signal);
    if (found === name || found === null) continue;
    yield {
      path: `objects/${name}`,
      between: "old contents",
      cause: "damaged",
      found: `content ${found}`,
      since: null,
    };
  }
}
