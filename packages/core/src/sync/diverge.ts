import type { Recno } from "../kml/identity.ts";
import type { Base, ClientOperation } from "../kml/operation.ts";
import { withBases } from "../optimize/dependencies.ts";
import type { PendingLog } from "./pending-log.ts";
import type { PendingRecord } from "./pending-record.ts";

/**
 * The pending records of a peer that has to take a new id (design P2), renumbered from 1 for the own
 * log of the new id. Bases on records that wait too follow them; all other bases stay, under the old
 * id, because the server's log may hold what they mean.
 *
 * A frozen record whose fate under the old id is not known goes along: where the server did take it,
 * its content is equal to what stands there, and the two merge.
 */
export function renumberPending(pending: PendingLog, newPeer: PendingLog["peer"]): PendingRecord[] {
  const waiting: PendingRecord[] = [
    ...pending.frozen.map(({ submitted }) => ({ ...submitted, recno: submitted.origin.recno })),
    ...pending.unsent,
  ];
  const newRecnos = new Map(waiting.map(({ recno }, index) => [recno, (index + 1) as Recno]));
  const follow = (base: Base): Base => {
    const own = pending.followSent(base);
    if (typeof own === "number" || own.peer !== pending.peer) return own;
    const recno = newRecnos.get(own.recno);
    return recno === undefined ? own : { peer: newPeer, recno };
  };
  return waiting.map(({ recno, authorTimeNs, actor, operation }) => ({
    recno: newRecnos.get(recno)!,
    authorTimeNs,
    actor,
    operation: withBases<ClientOperation>(operation, follow),
  }));
}
