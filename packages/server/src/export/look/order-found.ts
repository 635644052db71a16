import type { Oid } from "@izo/core";

import type { Fileset } from "../fileset.ts";
import type { FoundEntry } from "../tree/found-entry.ts";

/**
 * The order in which found entries are settled, so that a name is free when its new object needs it: what was moved
 * before what is new, and of what was moved first what stood before at the name of another. So an object whose name
 * was taken is not taken for removed, or for saved over, before it is seen where it is now (design D2): a log that is
 * rotated stays the object that it was. Of those that go round in a circle any is the first.
 */
export function orderFound(
  { ledger: { notes, state } }: Fileset,
  found: readonly FoundEntry[],
): readonly FoundEntry[] {
  const known: FoundEntry[] = [];
  const made: FoundEntry[] = [];
  const byOid = new Map<Oid, FoundEntry>();
  for (const entry of found) {
    const oid = notes.findInode(entry.note);
    if (oid === undefined) {
      made.push(entry);
      continue;
    }
    known.push(entry);
    byOid.set(oid, entry);
  }
  const ordered = new Set<FoundEntry>();
  for (const entry of known) {
    const chain = new Set<FoundEntry>();
    for (let at: FoundEntry | undefined = entry; at !== undefined && !ordered.has(at);) {
      // A circle.
      if (chain.has(at)) break;
      chain.add(at);
      const standing = state.entry(at.parent, at.name);
      at = standing && byOid.get(standing.oid);
    }
    for (const next of [...chain].toReversed()) ordered.add(next);
  }
  return [...ordered, ...made];
}
