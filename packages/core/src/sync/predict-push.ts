/**
 * What a push would do: the pending records of a client, judged one after another against the
 * authoritative state that it knows, by the judge that the server uses. Nothing is sent and nothing
 * changes. The server judges later, against what it has by then.
 */

import type { Oid, PeerId, Recno, Sha256 } from "../kml/identity.ts";
import type { ClientOperation, OutcomeReason, ReplicatedOperation } from "../kml/operation.ts";
import type { PolicyOf } from "../reintegrate/conflict-policy.ts";
import type { Decision } from "../reintegrate/decision.ts";
import { logDecision } from "../reintegrate/log-decision.ts";
import { reintegrate, type SubmittedRecord } from "../reintegrate/reintegrate.ts";
import { OverlayState } from "../replay/overlay-state.ts";
import { replay } from "../replay/replay.ts";
import type { StateReader } from "../replay/state.ts";
import type { PendingRecord } from "./pending-record.ts";

/** What would become of one record. */
export interface Prediction {
  /** The record as it would be sent. */
  readonly operation: ClientOperation;
  readonly verdict: Decision["verdict"];
  readonly reason: OutcomeReason | null;
  /** What the server's log would get for it, its trace among them. */
  readonly logged: readonly ReplicatedOperation[];
  readonly trace: ReplicatedOperation;
}

/** What is known where the prediction is made. */
export interface PredictionContext {
  /** The server's tree up to `recno`. */
  readonly state: StateReader;
  readonly recno: Recno;
  readonly peer: PeerId;
  readonly host: string;
  readonly policyOf: PolicyOf;
}

/** A check that is nobody's: it only must not be that of a server's own record. */
const SOME_CHECK = "f".repeat(16);

/**
 * @param frozen records that were sent and have no outcome yet
 * @param unsent those that would be sent next, optimized, in their order
 */
export function predictPush(
  frozen: readonly SubmittedRecord[],
  unsent: readonly PendingRecord[],
  { state, recno, peer, host, policyOf }: PredictionContext,
): Prediction[] {
  const overlay = new OverlayState(state);
  const records = [...frozen, ...unsent.map((record) => submittedAs(record, peer))];
  const contents = contentsToCome(records);
  const contentToCome = (oid: Oid): Sha256 | undefined => contents.get(oid);
  let headRecno = recno;
  return records.map((record) => {
    const decision = reintegrate(record, overlay, { host, contentToCome, policyOf });
    const end = { headRecno, headTimeNs: 0n, nowNs: 0n, server: peer };
    for (const logged of logDecision(decision, record, end)) {
      headRecno = replay(logged, overlay, headRecno);
    }
    const { verdict, reason, operations, trace } = decision;
    return {
      operation: record.operation,
      verdict,
      reason,
      logged: operations,
      trace: operations[trace]!,
    };
  });
}

/** Under its number in the own log, by which the others that are not sent name it as their base. */
function submittedAs(record: PendingRecord, peer: PeerId): SubmittedRecord {
  const { recno, authorTimeNs, actor, operation } = record;
  return { origin: { peer, recno, check: SOME_CHECK }, authorTimeNs, actor, operation };
}

function contentsToCome(records: readonly SubmittedRecord[]): ReadonlyMap<Oid, Sha256> {
  const contents = new Map<Oid, Sha256>();
  for (const { operation } of records) {
    if (operation.opcode === "CLOSE" && operation.sha256 !== null)
      contents.set(operation.oid, operation.sha256);
  }
  return contents;
}
