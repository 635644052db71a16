import type { PeerId } from "../kml/identity.ts";
import type { KmlRecord } from "../kml/record.ts";
import type { StateReader } from "../replay/state.ts";
import { PendingLog, type PendingLogFacts } from "./pending-log.ts";
import type { FrozenRecord } from "./pending-record.ts";

/** The own log read back, and what of it the server's log already has. */
export interface LoadedPending {
  readonly pending: PendingLog;
  /** Records whose outcome the authoritative state knows, but those up to {@link PendingLogFacts.acknowledgedUpTo}. */
  readonly acknowledged: readonly FrozenRecord[];
}

/**
 * Reads the own log back: what a running client knows and what it knows after a crash are the same
 * fold. The log is truncated by segments, so it may still hold records with a known outcome.
 */
export function loadPending(
  peer: PeerId,
  records: Iterable<KmlRecord>,
  authoritative: StateReader,
  facts: PendingLogFacts = {},
): LoadedPending {
  const pending = new PendingLog(peer, facts);
  for (const record of records) pending.add(record);
  const acknowledged = pending.frozen.filter(
    ({ submitted: { origin } }) => authoritative.outcome(origin)?.check === origin.check,
  );
  for (const { submitted } of acknowledged) pending.acknowledge(submitted.origin.recno);
  return { pending, acknowledged };
}
