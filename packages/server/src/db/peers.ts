import { NO_CHECK, NO_RECNO, type PeerId, type Recno } from "@izo/core";

import { bytesOf, hexOf } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { drizzle, eq, sql } from "./drizzle.ts";
import { outcomes, peers } from "./schema.ts";

/** The last record of a peer that the log holds (`last_rcvd`); 0 for none. */
export function receivedRecno(connection: Connection, peer: PeerId): Recno {
  const row = drizzle(connection)
    .select({ received: peers.receivedRecno })
    .from(peers)
    .where(eq(peers.peer, bytesOf(peer)))
    .get();
  return (row?.received ?? NO_RECNO) as Recno;
}

/** {@link receivedRecno} with the check of that record, as a peer states it when it pushes. */
export function receivedMark(
  connection: Connection,
  peer: PeerId,
): { readonly recno: Recno; readonly check: string } {
  const recno = receivedRecno(connection, peer);
  const row = drizzle(connection)
    .select({ check: outcomes.originCheck })
    .from(outcomes)
    .where(sql`${outcomes.peer} = ${bytesOf(peer)} AND ${outcomes.originRecno} = ${recno}`)
    .get();
  return { recno, check: row?.check ?? NO_CHECK };
}

export interface PeerRow {
  readonly peer: PeerId;
  readonly host: string;
  readonly receivedRecno: Recno;
  readonly replayedRecno: Recno;
  readonly lastSeenMs: number;
  /** When an administrator had it forgotten; null where nobody did, or where it came back since. */
  readonly forgottenMs: number | null;
}

export function listPeers(connection: Connection): PeerRow[] {
  return drizzle(connection)
    .select()
    .from(peers)
    .all()
    .map((row) => ({
      peer: hexOf(row.peer) as PeerId,
      host: row.host,
      receivedRecno: row.receivedRecno as Recno,
      replayedRecno: row.replayedRecno as Recno,
      lastSeenMs: row.seenMs,
      forgottenMs: row.forgottenMs,
    }));
}

/** Writes what a peer was seen to do; one that was forgotten is known again. */
export function notePeerSeen(
  connection: Connection,
  seen: Pick<PeerRow, "peer" | "host" | "replayedRecno" | "lastSeenMs">,
): void {
  const { host, replayedRecno, lastSeenMs: seenMs } = seen;
  drizzle(connection)
    .insert(peers)
    .values({ peer: bytesOf(seen.peer), host, receivedRecno: 0, replayedRecno, seenMs })
    .onConflictDoUpdate({
      target: peers.peer,
      set: { host, replayedRecno, seenMs, forgottenMs: null },
    })
    .run();
}

/**
 * Notes that a peer is not waited for any more; false where nobody knows of it. What the log holds of it
 * stays: its records are answered as before, should it come back (design P1).
 */
export function notePeerForgotten(connection: Connection, peer: PeerId, nowMs: number): boolean {
  const { changes } = drizzle(connection)
    .update(peers)
    .set({ forgottenMs: nowMs })
    .where(eq(peers.peer, bytesOf(peer)))
    .run();
  return changes > 0;
}

/** How many records of a peer have their trace behind `after`: it has not seen what became of them. */
export function countTracesBehind(connection: Connection, peer: PeerId, after: Recno): number {
  return connection
    .prepare<[Buffer, Recno], number>("SELECT count(*) FROM outcomes WHERE peer = ? AND trace > ?")
    .pluck()
    .get(bytesOf(peer), after)!;
}
