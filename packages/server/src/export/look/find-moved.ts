import { textToBytes, type Name } from "@izo/core";
import { fstatat } from "@izo/sys";

import { noteOfStat } from "../../db/disk-notes.ts";
import type { Fileset } from "../fileset.ts";
import type { LookRequest } from "../tree/list-directory.ts";
import { heldFd, isAbsence, openTreeDirectory } from "../tree/tree-directory.ts";

/** Some 50 ms. Who moves more while a look is under way has some taken for removed and made anew. */
const MOST_NAMES = 10_000;

/**
 * Of names that are to be looked at, those under which files and directories stand that the log has elsewhere: they were
 * moved there. A look at where they were has to see them, or takes them for removed.
 */
export function findMoved(fileset: Fileset, requests: readonly LookRequest[]): LookRequest[] {
  const moved: LookRequest[] = [];
  let left = MOST_NAMES;
  for (const { directory, names } of requests) {
    if (names === null || names.size > left) continue;
    left -= names.size;
    const found = movedNames(fileset, directory, names);
    if (found.size > 0) moved.push({ directory, names: found, isDeep: false });
  }
  return moved;
}

function movedNames(
  { rootFd, ledger: { state, notes } }: Fileset,
  directory: LookRequest["directory"],
  names: ReadonlySet<Name>,
): Set<Name> {
  const found = new Set<Name>();
  if (state.object(directory)?.kind !== "directory") return found;
  try {
    using opened = heldFd(openTreeDirectory(rootFd, state, directory));
    for (const name of names) {
      const options = { noFollow: true, throwIfNoEntry: false } as const;
      const stat = fstatat(opened.fd, textToBytes(name), options);
      const oid = stat && notes.findInode(noteOfStat(stat));
      if (oid !== undefined && state.entry(directory, name)?.oid !== oid) found.add(name);
    }
  } catch (error) {
    if (!isAbsence(error)) throw error;
  }
  return found;
}
