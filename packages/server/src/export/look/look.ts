/**
 * Looks at directories and logs what differs from the log: the scan at start, and the second look at
 * what the watcher named, are the same code (design S2).
 *
 * What is found is settled batch by batch, so a first scan that is interrupted goes on where it was.
 * What is missing is settled last, when everything that moved has been found under its new name; and
 * only where its absence is proven (design S4). The worst that a crash does is to repeat the look.
 */

import { ROOT_OID, type Entry, type Name, type Oid } from "@izo/core";

import { isSameContent, type DiskNote } from "../../db/disk-notes.ts";
import type { Fileset } from "../fileset.ts";
import type { FoundEntry } from "../tree/found-entry.ts";
import { listDirectory, type ListedDirectory, type LookRequest } from "../tree/list-directory.ts";
import { hashFound } from "./hash-found.ts";
import type { LookOptions, LookProgress } from "./look-options.ts";
import { orderFound } from "./order-found.ts";
import { type FoundRemoval, isStanding, settleAbsences } from "./settle-absences.ts";
import { settleEntry } from "./settle.ts";

export interface Looked {
  readonly records: number;
  /** What was too young or too busy; to be looked at again. */
  readonly busy: readonly LookRequest[];
  /** Names under which directories wait that are neither found nor missed yet; to be looked at again. */
  readonly waiting: readonly LookRequest[];
  readonly held: FoundRemoval | null;
}

/** Entries and bytes between two commits: what an interruption repeats. */
const BATCH_ENTRIES = 1_000;
const BATCH_BYTES = 256 * 1024 * 1024;

export async function look(
  fileset: Fileset,
  requests: readonly LookRequest[],
  options: LookOptions,
): Promise<Looked> {
  const start = fileset.ledger.position.recno;
  const queue = [...requests];
  const missing: Entry[] = [];
  const busy: LookRequest[] = [];
  const busyInodes: DiskNote[] = [];
  const elsewhere: LookRequest[] = [];
  const waiting: Entry[] = [];
  let isSecondTry = false;
  let progress: LookProgress = { files: 0, bytes: 0 };
  while (queue.length > 0) {
    options.signal?.throwIfAborted();
    const batch = gather(fileset, queue, options, { missing, busy, busyInodes, elsewhere });
    try {
      const found = await hashFound(fileset, batch.listed, { ...options, busy, busyInodes });
      waiting.push(...(await settleBatch(fileset, found, queue, batch.deep)));
      progress = {
        files: progress.files + batch.files,
        bytes: progress.bytes + batch.bytes,
      };
    } finally {
      for (const directory of batch.listed) directory[Symbol.dispose]();
    }
    options.onProgress?.(progress);
    if (queue.length === 0 && !isSecondTry) {
      // By now their move is logged, if another request of this look has seen it.
      queue.push(...elsewhere.splice(0));
      // What was moved meanwhile from where this look had not been yet to where it had.
      if (missing.length > 0) queue.push(...((await options.findMoved?.()) ?? []));
      isSecondTry = true;
    }
  }
  busy.push(...elsewhere.flatMap((request) => [...parentOf(fileset, request), request]));
  // Who has seen everything, and not them, has missed them.
  const isWhole = requests.some(isEverything);
  if (isWhole) missing.push(...waiting);
  const { gone = [], moved = [] } = Object.groupBy(missing, whereaboutsOf(fileset, busyInodes));
  busy.push(...moved.map(lookAtName));
  const held = await settleAbsences(fileset, gone, options);
  const records = fileset.ledger.position.recno - start;
  const still = isWhole ? [] : waiting.filter((entry) => isStanding(fileset, entry));
  return { records, busy, waiting: still.map(lookAtName), held };
}

interface Batch {
  readonly listed: readonly ListedDirectory[];
  /** Directories whose new entries are to be listed with all below. */
  readonly deep: ReadonlySet<Oid>;
  readonly files: number;
  readonly bytes: number;
}

/** What a look cannot settle as it goes. */
interface Leftovers {
  readonly missing: Entry[];
  readonly busy: LookRequest[];
  /** What of that was met, under which name whatever. */
  readonly busyInodes: DiskNote[];
  readonly elsewhere: LookRequest[];
}

/** Takes requests from the queue until a batch is full, and puts known directories below into it. */
function gather(
  fileset: Fileset,
  queue: LookRequest[],
  options: LookOptions,
  { missing, busy, busyInodes, elsewhere }: Leftovers,
): Batch {
  const listed: ListedDirectory[] = [];
  const deep = new Set<Oid>();
  let entries = 0;
  let files = 0;
  let bytes = 0;
  while (queue.length > 0 && entries < BATCH_ENTRIES && bytes < BATCH_BYTES) {
    const request = queue.shift()!;
    const directory = listDirectory(fileset, request, options);
    if (directory === "elsewhere") elsewhere.push(request);
    if (directory === null || directory === "elsewhere") continue;
    listed.push(directory);
    if (request.isDeep) deep.add(request.directory);
    missing.push(...directory.missing);
    if (directory.busy.size > 0) {
      const names = new Set(directory.busy.keys());
      busy.push({ directory: request.directory, names, isDeep: false });
      busyInodes.push(...directory.busy.values());
    }
    for (const oid of directory.directories)
      queue.push({ directory: oid, names: null, isDeep: true });
    entries += directory.changed.length + 1;
    files += directory.files;
    bytes += directory.changed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }
  return { listed, deep, files, bytes };
}

/** @returns the directories that gave their names away and wait */
async function settleBatch(
  fileset: Fileset,
  found: readonly FoundEntry[],
  queue: LookRequest[],
  deep: ReadonlySet<Oid>,
): Promise<readonly Entry[]> {
  if (found.length === 0) return [];
  const { ledger } = fileset;
  const displaced: Entry[] = [];
  ledger.begin();
  try {
    for (const entry of orderFound(fileset, found)) {
      const { oid, isUnlisted, waiting } = settleEntry(fileset, entry);
      if (waiting !== null) displaced.push(waiting);
      const isBelow = entry.kind === "directory" && (isUnlisted || deep.has(entry.parent));
      if (isBelow) queue.push({ directory: oid, names: null, isDeep: true });
    }
    await ledger.commit();
    return displaced;
  } catch (error) {
    ledger.rollback();
    throw error;
  }
}

/**
 * A file that is not where it was, and is seen under a name that is too young, was moved there: both names are settled
 * together, when that is quiet. Not where it is written to as well, which may go on for ever.
 */
function whereaboutsOf(
  { ledger: { notes } }: Fileset,
  busyInodes: readonly DiskNote[],
): (missing: Entry) => "gone" | "moved" {
  const moved = new Set<Oid>();
  for (const now of busyInodes) {
    const oid = notes.findInode(now);
    const noted = oid && notes.get(oid);
    if (oid !== undefined && noted !== undefined && isSameContent(noted, now)) moved.add(oid);
  }
  return ({ oid }) => (moved.has(oid) ? "moved" : "gone");
}

/** The look that finds out where a directory went. */
function parentOf(fileset: Fileset, { directory }: LookRequest): LookRequest[] {
  return fileset.ledger.state.links(directory).map(lookAtName);
}

function lookAtName({ parent, name }: Entry): LookRequest {
  return { directory: parent, names: new Set([name]), isDeep: false };
}

function isEverything({ directory, names, isDeep }: LookRequest): boolean {
  return directory === ROOT_OID && names === null && isDeep;
}

/** All that a name says: for the watcher, which collects them. */
export function mergeRequests(requests: Iterable<LookRequest>): LookRequest[] {
  const merged = new Map<Oid, { names: Set<Name> | null; isDeep: boolean }>();
  for (const { directory, names, isDeep } of requests) {
    const known = merged.get(directory);
    if (known === undefined) {
      merged.set(directory, { names: names && new Set(names), isDeep });
      continue;
    }
    known.isDeep ||= isDeep;
    if (names === null) known.names = null;
    else for (const name of names) known.names?.add(name);
  }
  return [...merged].map(([directory, { names, isDeep }]) => ({ directory, names, isDeep }));
}
