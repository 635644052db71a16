import {
  logDecision,
  objectPath,
  refused,
  reintegrate,
  resolveOid,
  ROOT_OID,
  type Decision,
  type OutcomeReason,
  type ReintegrateContext,
  type ServerRecord,
  type SubmittedRecord,
} from "@izo/core";

import type { Fileset } from "../fileset.ts";
import { STATE_DIRECTORY } from "../state-directory.ts";
import type { Intent } from "./intents.ts";
import { planIntent } from "./plan-intent.ts";
import { stateWithIgnored } from "./state-with-ignored.ts";
import { planStep, type Step } from "./step.ts";

/** A record to be judged, and what the judge may know of its author. */
export interface Submission {
  readonly record: SubmittedRecord;
  readonly context: ReintegrateContext;
}

/** A record of the server's log, and what it does to the tree. */
export interface PlannedRecord {
  /** Index of the submission that it belongs to. */
  readonly submission: number;
  readonly record: ServerRecord;
  readonly step: Step | null;
  readonly intent: Intent;
}

/**
 * Judges and replays all submissions into the open transaction.
 *
 * @param unstorable records that the disk has refused for good
 */
export function judgeBatch(
  fileset: Fileset,
  submissions: readonly Submission[],
  unstorable: ReadonlySet<SubmittedRecord>,
): PlannedRecord[] {
  const { ledger } = fileset;
  const planned: PlannedRecord[] = [];
  for (const [submission, { record: submitted, context }] of submissions.entries()) {
    const decision = unstorable.has(submitted)
      ? refuse("not-storable", submitted, fileset)
      : judge(submitted, fileset, context);
    const records = logDecision(decision, submitted, {
      headRecno: ledger.recno,
      headTimeNs: ledger.timeNs,
      nowNs: fileset.nowNs(),
      server: fileset.peer,
    });
    for (const record of records) {
      const step = planStep(record, ledger.state);
      ledger.replay([record]);
      const intent = planIntent(record, step, ledger.state);
      planned.push({ submission, record, step, intent });
    }
  }
  return planned;
}

/** The judge in core knows nothing of the name that the server keeps its state under. */
function judge(record: SubmittedRecord, fileset: Fileset, context: ReintegrateContext): Decision {
  const { operation } = record;
  const isReserved =
    ("parent" in operation &&
      operation.parent === ROOT_OID &&
      (operation.name as string) === STATE_DIRECTORY) ||
    (operation.opcode === "RENAME" &&
      operation.toParent === ROOT_OID &&
      (operation.toName as string) === STATE_DIRECTORY);
  return isReserved || movesPatternAway(record, fileset)
    ? refuse("wrong-kind", record, fileset)
    : reintegrate(record, stateWithIgnored(fileset, fileset.ledger.state), context);
}

/**
 * K50: what a pattern leaves out by its path would be exported once a directory on the way to it had
 * another name.
 */
function movesPatternAway({ operation }: SubmittedRecord, { ledger, ignore }: Fileset): boolean {
  if (operation.opcode !== "RENAME" || ignore.isEmpty) return false;
  const { state } = ledger;
  const object = state.object(resolveOid(operation.oid, state));
  return object?.kind === "directory" && ignore.leadsThrough(objectPath(state, object.oid));
}

function refuse(reason: OutcomeReason, { operation }: SubmittedRecord, fileset: Fileset): Decision {
  const { state } = fileset.ledger;
  const oid = "oid" in operation ? resolveOid(operation.oid, state) : ROOT_OID;
  return refused(reason, state, oid);
}
