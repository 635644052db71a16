/** What a person asks of a client's state: conflicts, refusals, what waits and what would become of it. */
import {
  type ClientOperation,
  objectPath,
  type Oid,
  type OutcomeReason,
  type PeerId,
  type PendingRecord,
  type PolicyOf,
  type Prediction,
  predictPush,
  type Recno,
  standingConflict,
  type StandingConflict,
  withoutHeld,
} from "@izo/core";

import type { LoadedReplica } from "./load-replica.ts";

/** An own change that did not take effect: somebody else's came first. */
export interface Refusal {
  /** Where the object is now. */
  readonly path: string;
  readonly reason: OutcomeReason | null;
  /** The record of the server's log that says so. */
  readonly recno: Recno;
}

/** What a push would do, and what it would leave. */
export interface PredictedPush {
  readonly predicted: readonly Prediction[];
  readonly waiting: readonly PendingRecord[];
}

/** What somebody looks at; the log has them all. */
const SHOWN_REFUSALS = 100;

/** The conflicts that stand in the visible tree, in the order of their paths. Works offline. */
export function standingConflicts({ state, replica }: LoadedReplica): StandingConflict[] {
  return Array.from(state.conflictCopies(), (oid) => standingConflict(oid, replica.visible))
    .filter((conflict) => conflict !== undefined)
    .toSorted((a, b) => (a.copy.path < b.copy.path ? -1 : 1));
}

/** The last own changes that the server has refused, the latest first, by what their objects are now. */
export function lastRefusals({ state, replica }: LoadedReplica): Refusal[] {
  return state.refusals(SHOWN_REFUSALS).map(({ oid, reason, trace }) => ({
    path: objectPath(replica.visible, oid),
    reason,
    recno: trace,
  }));
}

/** Bytes of the contents that wait to be sent or acknowledged: of a file that was written again, the last one. */
export function bytesWaiting({ pending }: LoadedReplica): number {
  const waiting: readonly { readonly operation: ClientOperation }[] = [
    ...pending.frozen.map(({ submitted }) => submitted),
    ...pending.unsent,
  ];
  const sizes = new Map<Oid, number>();
  for (const { operation } of waiting) {
    if (operation.opcode === "CLOSE") sizes.set(operation.oid, operation.sizeBytes);
    if (operation.opcode === "UNLINK" && operation.isLastName) sizes.delete(operation.oid);
  }
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Own CLOSEs whose content has no hash yet, in the order of their making. */
export function unsealedCloses({ open, pending }: LoadedReplica): readonly PendingRecord[] {
  return [...open].flatMap((recno) => pending.unsentRecord(recno) ?? []);
}

/** What a push of all that waits would do, as far as is known here; nothing is sent. */
export function predictOwnPush(
  loaded: LoadedReplica,
  waits: (record: PendingRecord) => boolean,
  context: { readonly peer: PeerId; readonly host: string; readonly policyOf: PolicyOf },
): PredictedPush {
  const { state, pending, position } = loaded;
  const ready = pending.sendable();
  const free = withoutHeld(ready, waits).flatMap(({ record }) => record ?? []);
  const frozen = pending.frozen.map(({ submitted }) => submitted);
  const sent = new Set(free);
  const waiting = [
    ...unsealedCloses(loaded),
    ...ready.flatMap(({ record }) => (record === null || sent.has(record) ? [] : record)),
  ];
  const known = { state, recno: position.recno, ...context };
  return { predicted: predictPush(frozen, free, known), waiting };
}
