import { hostname } from "node:os";

import {
  conflictPolicies,
  type ClientOperation,
  type OutcomeReason,
  type PendingRecord,
  type PolicyRule,
  type Recno,
} from "@izo/core";

import type { LocalReplica } from "../replica/local-replica.ts";
import { pathOfOperation } from "./path-of-operation.ts";

/** What would become of one record that waits. */
export interface PlannedRecord {
  readonly opcode: ClientOperation["opcode"];
  /** What its author did it to; of a move, the new path. */
  readonly path: string;
  /** `waits` where it would not be sent now: being written, held, or behind such a record. */
  readonly verdict: "applied" | "merged" | "copied" | "refused" | "waits";
  readonly reason: OutcomeReason | null;
  /** Where it would be found afterwards, where that is another path. */
  readonly becomes: string | null;
}

/** What a push would do, as far as the mount knows the server's tree. */
export interface PushPlan {
  /** The server's tree is known up to this record. */
  readonly recno: Recno;
  /** Whether the server has said by which policies it judges; those built in are taken otherwise. */
  readonly arePoliciesKnown: boolean;
  /** In the order of sending, after optimizing; those that wait come last. */
  readonly records: readonly PlannedRecord[];
}

/**
 * Predicts a push by the judge that the server uses.
 *
 * @param waits tells of a record whether it would be held back
 * @param policies null before the first contact
 */
export function planPush(
  replica: LocalReplica,
  waits: (record: PendingRecord) => boolean,
  policies: readonly PolicyRule[] | null,
): PushPlan {
  const policyOf = conflictPolicies(policies ?? []);
  const { predicted, waiting } = replica.predict(waits, { host: hostname(), policyOf });
  return {
    recno: replica.position.recno,
    arePoliciesKnown: policies !== null,
    records: [
      ...predicted.map(({ operation, verdict, reason, trace }): PlannedRecord => {
        const path = pathOfOperation(operation);
        const becomes = pathOfOperation(trace);
        const isElsewhere = verdict !== "refused" && becomes !== path;
        const { opcode } = operation;
        return { opcode, path, verdict, reason, becomes: isElsewhere ? becomes : null };
      }),
      ...waiting.map(({ operation }): PlannedRecord => {
        const { opcode } = operation;
        const path = pathOfOperation(operation);
        return { opcode, path, verdict: "waits", reason: null, becomes: null };
      }),
    ],
  };
}
