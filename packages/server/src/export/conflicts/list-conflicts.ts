import {
  NO_CHECK,
  NO_RECNO,
  resolveOid,
  standingConflict,
  type ConflictAncestor,
  type ConflictRecord,
  type ConflictReport,
  type Oid,
  type Recno,
  type ServerRecord,
  type Sha256,
  type StandingConflict,
  type StateReader,
} from "@izo/core";

import { conflictCopies, contentOfVersion } from "../../db/conflicts.ts";
import type { Connection } from "../../db/connection.ts";

/** Records that a decision can put before the trace of a copy: its directories and attributes. */
const BEFORE_THE_TRACE = 300;

export interface ConflictSources {
  readonly connection: Connection;
  readonly state: StateReader;
  readonly hasContent: (sha256: Sha256) => boolean;
  /** Records of the log from one on; none where it was cut off. */
  readonly recordsFrom: (recno: Recno) => Iterable<ServerRecord>;
}

/** The conflicts that stand in the tree as committed, with what the log and old contents say of them. */
export function listConflicts(sources: ConflictSources): ConflictReport[] {
  return conflictCopies(sources.connection)
    .flatMap((oid) => standingConflict(oid, sources.state) ?? [])
    .map((conflict) => ({
      ...conflict,
      ancestor: ancestorOf(conflict, sources),
      record: recordOf(conflict.copy.oid, sources),
    }))
    .toSorted((a, b) => (a.copy.path < b.copy.path ? -1 : 1));
}

/** How many conflicts stand in the tree as committed. */
export function countConflicts(connection: Connection, state: StateReader): number {
  return conflictCopies(connection).filter((oid) => standingConflict(oid, state) !== undefined)
    .length;
}

function ancestorOf(
  { base, copy }: StandingConflict,
  { connection, state, hasContent }: ConflictSources,
): ConflictAncestor | null {
  const note = state.object(copy.oid)?.conflict;
  if (base === NO_RECNO || note === undefined || note === null) return null;
  const content = contentOfVersion(connection, resolveOid(note.of, state), base);
  return content === undefined ? null : { ...content, isKept: hasContent(content.sha256) };
}

/** The trace of the copy: its author's record, a few behind the one that gave the copy its name. */
function recordOf(oid: Oid, { state, recordsFrom }: ConflictSources): ConflictRecord | null {
  const named = state.links(oid)[0]?.version as Recno;
  for (const { recno, origin, actor, operation } of recordsFrom(named)) {
    if (recno > named + BEFORE_THE_TRACE) break;
    const isTrace = "conflict" in operation && operation.conflict !== null;
    if (!isTrace || operation.oid !== oid || origin.check === NO_CHECK) continue;
    const { peer, recno: originRecno } = origin;
    const { uid, command } = actor;
    return { recno, origin: { peer, recno: originRecno }, uid, command };
  }
  return null;
}
