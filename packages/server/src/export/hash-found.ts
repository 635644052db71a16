import { EMPTY_SHA256, objectPath, textToBytes, type Name, type Sha256 } from "@izo/core";

import { isUnchanged } from "../db/disk-notes.ts";
import type { Fileset } from "./fileset.ts";
import type { FoundEntry } from "./found-entry.ts";
import { hashContent } from "./hash-content.ts";
import type { ListedDirectory, LookRequest } from "./list-directory.ts";
import { readWhenRested } from "./read-when-rested.ts";
import { reportProblem } from "./report-problem.ts";
import { isAbsence } from "./tree-directory.ts";

/** Two at a time: one reads while the other hashes; more would take the disk from everybody else. */
const CONCURRENT_HASHES = 2;

/**
 * Gives the files among what was found their hashes. A file that changed meanwhile goes to `busy`, one
 * that cannot be read is a problem and left out.
 */
export async function hashFound(
  fileset: Fileset,
  listed: readonly ListedDirectory[],
  busy: LookRequest[],
  signal?: AbortSignal,
): Promise<FoundEntry[]> {
  const jobs = listed.flatMap(({ fd, changed }) => changed.map((entry) => ({ fd, entry })));
  const done: (FoundEntry | undefined)[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < jobs.length) {
      const index = next;
      next += 1;
      const { fd, entry } = jobs[index]!;
      done[index] = await withHash(fileset, fd, entry, busy, signal);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_HASHES }, work));
  return done.filter((entry) => entry !== undefined);
}

async function withHash(
  fileset: Fileset,
  fd: number,
  found: FoundEntry,
  busy: LookRequest[],
  signal: AbortSignal | undefined,
): Promise<FoundEntry | undefined> {
  // Of a directory no time is compared.
  if (found.kind === "directory") return found;
  const again = (): undefined =>
    void busy.push({ directory: found.parent, names: new Set<Name>([found.name]), isDeep: false });
  try {
    const entry = await readWhenRested(fd, found);
    if (entry === undefined || entry.kind === "directory") return again();
    if (entry.kind !== "file") return entry;
    const known = knownHash(fileset, entry);
    if (known !== null) return { ...entry, sha256: known };
    const sha256 = await hashContent(fd, textToBytes(entry.name), entry.note, signal);
    if (sha256 !== null) return { ...entry, sha256 };
  } catch (error) {
    if (signal?.aborted === true) throw error;
    if (!isAbsence(error)) {
      const path = objectPath(fileset.ledger.state, found.parent);
      reportProblem(fileset, `${path === "/" ? "" : path}/${found.name}`, error);
      return undefined;
    }
  }
  return again();
}

/** The hash where it need not be computed: nothing in the file, or the inode is as it was noted. */
function knownHash(fileset: Fileset, entry: FoundEntry): Sha256 | null {
  if (entry.sizeBytes === 0) return EMPTY_SHA256;
  const { notes, state } = fileset.ledger;
  const oid = notes.findInode(entry.note);
  const note = oid && notes.get(oid);
  if (oid === undefined || note === undefined || !isUnchanged(note, entry.note)) return null;
  return state.object(oid)?.sha256 ?? null;
}
