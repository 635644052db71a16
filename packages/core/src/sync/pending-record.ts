import type { Recno, TimeNs } from "../kml/identity.ts";
import type { ClientOperation } from "../kml/operation.ts";
import type { Actor } from "../kml/record.ts";
import type { SubmittedRecord } from "../reintegrate/reintegrate.ts";

/** A record that its author has not sent yet. */
export interface PendingRecord {
  readonly recno: Recno;
  readonly authorTimeNs: TimeNs;
  readonly actor: Actor;
  readonly operation: ClientOperation;
}

/** A record that was sent, or is about to be: it is never changed again. */
export interface FrozenRecord {
  readonly covers: readonly Recno[];
  readonly submitted: SubmittedRecord;
}

/** The own record whose content a frozen one carries: of several CLOSEs that became one, the last. */
export function lastCovered({ covers, submitted }: FrozenRecord): Recno {
  return covers.at(-1) ?? submitted.origin.recno;
}
