import type { PeerId } from "../kml/identity.ts";
import { type Actor, NO_CHECK, type ServerRecord } from "../kml/record.ts";

/**
 * The peer whose change each record is. What a server logs for a client's record beside its trace (the
 * directories that return for it, say) has the server's id, and the time and the actor of the client's:
 * it comes just before the trace or behind it, and is taken for the client's.
 *
 * @param records in the order of the log, without a gap
 */
export function recordAuthors(records: readonly ServerRecord[]): PeerId[] {
  const authors = records.map(({ origin }) => origin.peer);
  for (const [index, trace] of records.entries()) {
    if (trace.origin.check === NO_CHECK) continue;
    for (let at = index - 1; isBeside(records[at], trace); at -= 1) authors[at] = trace.origin.peer;
    for (let at = index + 1; isBeside(records[at], trace); at += 1) authors[at] = trace.origin.peer;
  }
  return authors;
}

function isBeside(record: ServerRecord | undefined, trace: ServerRecord): boolean {
  return (
    record !== undefined &&
    record.origin.check === NO_CHECK &&
    record.authorTimeNs === trace.authorTimeNs &&
    record.logTimeNs === trace.logTimeNs &&
    isSameActor(record.actor, trace.actor)
  );
}

function isSameActor(a: Actor, b: Actor): boolean {
  return (
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.command === b.command &&
    a.groups.join() === b.groups.join()
  );
}
