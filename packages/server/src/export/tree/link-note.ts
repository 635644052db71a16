import { textToBytes, type Entry } from "@izo/core";
import { fstatat } from "@izo/sys";

import { noteOfStat, type DiskNote } from "../../db/disk-notes.ts";
import type { Fileset } from "../fileset.ts";
import { heldFd, isAbsence, openTreeDirectory } from "./tree-directory.ts";

/** What stands on disk at the place of an entry; undefined when that is proven to be nothing. */
export function noteOfLink(fileset: Fileset, entry: Entry): DiskNote | undefined {
  try {
    using directory = heldFd(openTreeDirectory(fileset.rootFd, fileset.ledger.state, entry.parent));
    const options = { noFollow: true, throwIfNoEntry: false } as const;
    const stat = fstatat(directory.fd, textToBytes(entry.name), options);
    return stat && noteOfStat(stat);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}
