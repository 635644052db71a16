import type { PeerId, Recno } from "../kml/identity.ts";
import { JsonFields } from "./json-fields.ts";

/**
 * How a peer stands to the log: it has replayed all of it, or lacks records that are still there, or
 * records that were cut off (it will take a snapshot), or an administrator said that it will not come back.
 */
export const PEER_STATES = ["current", "behind", "cut-off", "forgotten"] as const;

export type PeerState = (typeof PEER_STATES)[number];

/** A peer beside the log of its server. */
export interface PeerStanding {
  readonly peer: PeerId;
  /** Name of its host; empty where it never asked for records. */
  readonly host: string;
  readonly state: PeerState;
  /** When it last asked for something, in ms since 1970; 0 where that is not known. */
  readonly lastSeenMs: number;
  /** The last record that it is known to have replayed. */
  readonly replayedRecno: Recno;
  /** Records that it has not replayed. */
  readonly lagRecords: number;
  /** Age of the first record that it has not replayed; 0 for none, null where that was cut off. */
  readonly lagMs: number | null;
  /** The last of its own records that the log holds. */
  readonly receivedRecno: Recno;
  /** Its own records whose outcome stands in the log behind what it has replayed. */
  readonly unseenOutcomes: number;
  /** Tells whether records are kept for it. */
  readonly isKeptFor: boolean;
}

export function writePeersResponse(peers: readonly PeerStanding[]): string {
  return JSON.stringify({ peers });
}

/** @throws WireFormatError */
export function parsePeersResponse(body: string): PeerStanding[] {
  return JsonFields.parse("list of peers", body).list("peers", (fields) => ({
    peer: fields.id("peer"),
    host: fields.text("host"),
    state: fields.oneOf("state", PEER_STATES),
    lastSeenMs: fields.whole("lastSeenMs"),
    replayedRecno: fields.recno("replayedRecno"),
    lagRecords: fields.whole("lagRecords"),
    lagMs: fields.nullable("lagMs", () => fields.whole("lagMs")),
    receivedRecno: fields.recno("receivedRecno"),
    unseenOutcomes: fields.whole("unseenOutcomes"),
    isKeptFor: fields.flag("isKeptFor"),
  }));
}
