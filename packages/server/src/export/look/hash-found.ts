import { EMPTY_SHA256, objectPath, textToBytes, type Name, type Sha256 } from "@izo/core";

import { type DiskNote, isUnchanged } from "../../db/disk-notes.ts";
import { hashContent } from "../contents/hash-content.ts";
import type { Fileset } from "../fileset.ts";
import { reportProblem } from "../report-problem.ts";
import type { FoundEntry } from "../tree/found-entry.ts";
import type { ListedDirectory, LookRequest } from "../tree/list-directory.ts";
import { isAbsence } from "../tree/tree-directory.ts";
import type { HashedBeside } from "./long-hashes.ts";
import { readWhenRested } from "./read-when-rested.ts";

/** Two at a time: one reads while the other hashes; more would take the disk from everybody else. */
const CONCURRENT_HASHES = 2;

/** How files get their hashes, and where those go that get none now. */
export interface HashWork {
  readonly beside: HashedBeside;
  readonly signal?: AbortSignal;
  /** To be looked at again. */
  readonly busy: LookRequest[];
  /** What of that was met, whatever it was called before. */
  readonly busyInodes: DiskNote[];
}

/**
 * Gives the files among what was found their hashes. A file that changed meanwhile goes to `busy`, and so does
 * a large one until its hash is there; one that cannot be read is a problem and left out.
 */
export async function hashFound(
  fileset: Fileset,
  listed: readonly ListedDirectory[],
  work: HashWork,
): Promise<FoundEntry[]> {
  const jobs = listed.flatMap(({ fd, changed }) => changed.map((entry) => ({ fd, entry })));
  const done: (FoundEntry | undefined)[] = [];
  let next = 0;
  const takeOne = async (): Promise<void> => {
    while (next < jobs.length) {
      const index = next;
      next += 1;
      const { fd, entry } = jobs[index]!;
      done[index] = await withHash(fileset, fd, entry, work);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_HASHES }, takeOne));
  return done.filter((entry) => entry !== undefined);
}

async function withHash(
  fileset: Fileset,
  fd: number,
  found: FoundEntry,
  { busy, busyInodes, beside, signal }: HashWork,
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
    const name = textToBytes(entry.name);
    if (entry.sizeBytes >= beside.fromBytes) {
      const sha256 = beside.hashes.hashOf(fd, name, entry.note);
      if (sha256 !== undefined) return { ...entry, sha256 };
      busyInodes.push(entry.note);
      again();
      return beside.isNameLogged ? withoutContent(fileset, entry) : undefined;
    }
    const sha256 = await hashContent(fd, name, entry.note, signal);
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

/**
 * The entry as far as it is known without its hash: what the log has of its content stays, which is none where it is
 * new. Its note is none that the file could ever have, so that the next look compares it again.
 */
function withoutContent({ ledger: { notes, state } }: Fileset, entry: FoundEntry): FoundEntry {
  const oid = notes.findInode(entry.note) ?? state.entry(entry.parent, entry.name)?.oid;
  const object = oid && state.object(oid);
  const mtimeNs = object?.kind === "file" ? object.mtimeNs : entry.mtimeNs;
  return { ...entry, mtimeNs, note: { ...entry.note, ctimeNs: 0n } };
}
