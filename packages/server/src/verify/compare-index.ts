import { entryKey, objectPath, type Entry, type Oid, type StateReader } from "@izo/core";

import type { CommittedIndex } from "../db/committed-index.ts";
import { presentOids } from "../db/totals.ts";
import { shown, type Difference } from "./difference.ts";
import type { ReplayedLog } from "./replayed-log.ts";

/** Where the index is not what replaying the log gives: objects, names, tombstones, aliases, outcomes. */
export function* compareIndex(log: ReplayedLog, index: CommittedIndex): Generator<Difference> {
  const { state } = log;
  const differing = (path: string, found: string, oid: Oid | null): Difference => ({
    path,
    between: "log and index",
    cause: "damaged",
    found,
    since: oid === null ? null : log.lastOf(oid),
  });
  for (const oid of log.oids()) {
    const expected = describe(state, oid);
    const found = describe(index.state, oid);
    for (const aspect of ASPECTS) {
      const [a, b] = [shown(expected[aspect]), shown(found[aspect])];
      if (a !== b) yield differing(objectPath(state, oid), `${aspect} ${b}, not ${a}`, oid);
    }
  }
  const known = new Set(log.oids());
  for (const oid of presentOids(index.connection)) {
    if (state.object(oid) !== undefined || known.has(oid)) continue;
    yield differing(objectPath(index.state, oid), "only the index has it", null);
  }
  for (const origin of log.origins()) {
    const [a, b] = [shown(state.outcome(origin)), shown(index.state.outcome(origin))];
    if (a === b) continue;
    const path = `record ${origin.recno} of ${origin.peer}`;
    yield { ...differing(path, `${b}, not ${a}`, null), since: state.outcome(origin)!.trace };
  }
}

const ASPECTS = ["object", "names", "tombstone", "alias"] as const;

function describe(
  state: StateReader,
  oid: Oid,
): Readonly<Record<(typeof ASPECTS)[number], unknown>> {
  const names = state.links(oid).toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return {
    object: state.object(oid) ?? null,
    names,
    tombstone: state.tombstone(oid) ?? null,
    alias: state.alias(oid) ?? null,
  };
}

function keyOf({ parent, name }: Entry): string {
  return entryKey(parent, name);
}
