import { NO_RECNO, type PeerStanding, type PeerState, type Recno } from "@izo/core";

import type { PeerRow } from "../../db/peers.ts";

/** Where the log stands, to compare a peer with. */
export interface LogExtent {
  readonly headRecno: Recno;
  readonly oldestRecno: Recno;
}

/** How a peer stands to the log. */
export function peerState(peer: PeerRow, log: LogExtent): PeerState {
  if (peer.forgottenMs !== null) return "forgotten";
  if (peer.replayedRecno >= log.headRecno) return "current";
  return peer.replayedRecno < log.oldestRecno - 1 ? "cut-off" : "behind";
}

/**
 * Tells whether records are kept for a peer: it was seen lately, nobody had it forgotten, and what it
 * lacks is still here. One that was cut off takes a snapshot, whatever is kept; one that has never asked
 * for records does not follow the log.
 */
export function isKeptFor(peer: PeerRow, log: LogExtent, seenAfterMs: number): boolean {
  if (peer.replayedRecno === NO_RECNO) return false;
  const state = peerState(peer, log);
  return state !== "forgotten" && state !== "cut-off" && peer.lastSeenMs >= seenAfterMs;
}

/** A peer as `izo peers` shows it. */
export function standingOf(
  peer: PeerRow,
  log: LogExtent,
  asked: {
    readonly seenAfterMs: number;
    /** Age of the record behind this one. */
    readonly ageAfterMs: (recno: Recno) => number;
    readonly countTracesBehind: (recno: Recno) => number;
  },
): PeerStanding {
  const { host, receivedRecno, replayedRecno, lastSeenMs } = peer;
  const lagRecords = Math.max(0, log.headRecno - replayedRecno);
  const isCutOff = replayedRecno < log.oldestRecno - 1;
  const lagMs = isCutOff ? null : asked.ageAfterMs(replayedRecno);
  return {
    peer: peer.peer,
    host,
    state: peerState(peer, log),
    lastSeenMs,
    replayedRecno,
    lagRecords,
    lagMs: lagRecords === 0 ? 0 : lagMs,
    receivedRecno,
    unseenOutcomes: asked.countTracesBehind(replayedRecno),
    isKeptFor: isKeptFor(peer, log, asked.seenAfterMs),
  };
}
