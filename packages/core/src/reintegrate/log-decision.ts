import type { PeerId, Recno, TimeNs } from "../kml/identity.ts";
import { NO_CHECK, type ServerRecord } from "../kml/record.ts";
import type { Decision } from "./decision.ts";
import type { SubmittedRecord } from "./reintegrate.ts";

/** Where the server's log stands, and who and when it is. */
export interface LogEnd {
  readonly headRecno: Recno;
  readonly headTimeNs: TimeNs;
  readonly nowNs: TimeNs;
  readonly server: PeerId;
}

/**
 * The records that a decision puts into the server's KML. All keep the author's time and actor; the
 * trace keeps its origin too, the others are the server's own under their own recno.
 */
export function logDecision(
  decision: Decision,
  submitted: SubmittedRecord,
  end: LogEnd,
): ServerRecord[] {
  const logTimeNs = end.nowNs > end.headTimeNs ? end.nowNs : end.headTimeNs;
  return decision.operations.map((operation, index) => {
    const recno = (end.headRecno + 1 + index) as Recno;
    return {
      recno,
      authorTimeNs: submitted.authorTimeNs,
      logTimeNs,
      origin:
        index === decision.trace ? submitted.origin : { peer: end.server, recno, check: NO_CHECK },
      actor: submitted.actor,
      operation,
    };
  });
}
