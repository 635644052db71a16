import { IzoError } from "../errors.ts";
import type { PeerId, Recno } from "../kml/identity.ts";
import type { StateReader } from "../replay/state.ts";
import type { Outcome } from "./outcome.ts";
import type { SubmittedRecord } from "./reintegrate.ts";

/** The pushing peer is not the only one under its id, or the server lost what it acknowledged (design P2). */
export class PeerDivergedError extends IzoError {
  constructor(peer: PeerId, found: string) {
    super("peer-diverged", `Cannot accept records of peer ${peer}: ${found}`, { peer });
  }
}

/** A push, as far as its admission goes. */
export interface PushHead {
  readonly peer: PeerId;
  /** The last own record that the peer knows the server to hold; recno 0 for none. */
  readonly received: { readonly recno: Recno; readonly check: string };
  /** In the order of their origin recnos. */
  readonly records: readonly SubmittedRecord[];
}

/** A record of a push: known already, so that its outcome answers it, or to be judged. */
export interface Admitted {
  readonly record: SubmittedRecord;
  readonly outcome: Outcome | null;
}

/**
 * Says which records of a push are new (design P1: a resent record is answered from its trace).
 *
 * @param lastReceived the highest origin recno of this peer in the log (`last_rcvd`), 0 for none
 * @throws PeerDivergedError when what the peer states, or sends again, is not what the log holds
 */
export function admitPush(push: PushHead, lastReceived: Recno, state: StateReader): Admitted[] {
  const { peer, received, records } = push;
  if (
    received.recno > 0 &&
    state.outcome({ peer, recno: received.recno })?.check !== received.check
  ) {
    throw new PeerDivergedError(
      peer,
      `the log does not hold its record ${received.recno} as it was acknowledged`,
    );
  }
  if (
    lastReceived > received.recno &&
    !records.some(({ origin }) => origin.recno === lastReceived)
  ) {
    throw new PeerDivergedError(
      peer,
      `the log holds its record ${lastReceived}, of which the peer does not know`,
    );
  }
  let previous = received.recno;
  return records.map((record) => {
    const { origin } = record;
    const outcome = state.outcome({ peer, recno: origin.recno }) ?? null;
    if (origin.peer !== peer || origin.recno <= previous) {
      throw new PeerDivergedError(
        peer,
        `record ${origin.recno} does not follow record ${previous}`,
      );
    }
    if (outcome === null ? origin.recno < lastReceived : outcome.check !== origin.check) {
      throw new PeerDivergedError(peer, `the log holds another record ${origin.recno} of it`);
    }
    previous = origin.recno;
    return { record, outcome };
  });
}
