import { objectPath, type Entry } from "@izo/core";

import type { HeldRemoval } from "../export.ts";
import type { Fileset } from "../fileset.ts";
import { reportProblem } from "../report-problem.ts";
import { noteOfLink } from "../tree/link-note.ts";
import type { HeldEntries } from "./held-entries.ts";
import { removeEntry } from "./settle.ts";

/** A small fileset may well be emptied on purpose. */
const HOLD_FROM_NAMES = 20;
/** A share of the names; a mount that is not there removes them all. */
const HOLD_FROM_SHARE = 0.5;

/** What of the names that are missing is not logged. */
export interface AbsenceRules {
  /** Hold removals of more than half of the fileset: for scans of all of it. */
  readonly holdsMassRemoval: boolean;
  /** Names that wait for a person already; null where they are to be judged anew. */
  readonly held: HeldEntries | null;
}

/** A removal that waits for a person, with the topmost names that it is about. */
export interface FoundRemoval extends HeldRemoval {
  readonly entries: readonly Entry[];
}

/**
 * Logs the end of names that were not there when their directory was listed, and still are not (design
 * S4). Called when everything that moved has been settled under its new name.
 *
 * @returns what was not logged, because it is so much that somebody has to confirm it; else null
 */
export async function settleAbsences(
  fileset: Fileset,
  missing: readonly Entry[],
  { holdsMassRemoval, held }: AbsenceRules,
): Promise<FoundRemoval | null> {
  const gone = missing.filter((entry) => isGone(fileset, entry) && held?.holds(entry) !== true);
  if (gone.length === 0) return null;
  const { ledger } = fileset;
  if (holdsMassRemoval) {
    const objects = ledger.countEntries();
    const removed = gone.reduce((sum, entry) => sum + countBelow(fileset, entry), 0);
    if (objects > HOLD_FROM_NAMES && removed > objects * HOLD_FROM_SHARE)
      return { removed, objects, entries: gone };
  }
  ledger.begin();
  try {
    for (const entry of gone) {
      if (isStanding(fileset, entry)) removeEntry(fileset, entry);
    }
    await ledger.commit();
  } catch (error) {
    ledger.rollback();
    throw error;
  }
  return null;
}

function isGone(fileset: Fileset, entry: Entry): boolean {
  try {
    return isStanding(fileset, entry) && noteOfLink(fileset, entry) === undefined;
  } catch (error) {
    reportProblem(fileset, objectPath(fileset.ledger.state, entry.oid), error);
    return false;
  }
}

/** Tells whether the log still has the name as it was when it was missed: not moved on, not removed. */
export function isStanding(fileset: Fileset, entry: Entry): boolean {
  const now = fileset.ledger.state.entry(entry.parent, entry.name);
  return now?.oid === entry.oid && now.version === entry.version;
}

function countBelow(fileset: Fileset, entry: Entry): number {
  let count = 1;
  for (const child of fileset.ledger.state.children(entry.oid)) count += countBelow(fileset, child);
  return count;
}
