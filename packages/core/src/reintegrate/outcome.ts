import { ROOT_OID, type Oid, type Recno } from "../kml/identity.ts";
import type { OutcomeReason } from "../kml/operation.ts";
import type { ServerRecord } from "../kml/record.ts";
import { NO_CHECK } from "../kml/record.ts";

/**
 * What became of a client's record (design §2): applied as it stands, merged with an equal change,
 * logged as a conflict copy, or refused. It is read off the one trace that the record left in the
 * server's KML (design P1), so everybody who replays the log knows the same outcomes.
 */
export interface Outcome {
  readonly verdict: "applied" | "merged" | "copied" | "refused";
  readonly reason: OutcomeReason | null;
  /** The record of the server's KML that is the trace. */
  readonly trace: Recno;
  /** Digest of the record as its author sent it, to know a cloned peer (design P2). */
  readonly check: string;
  /** The object on which later records of the same author continue. */
  readonly oid: Oid;
  /** Versions that later records mean when they name the judged record as their base. */
  readonly nameVersion: Recno;
  readonly contentVersion: Recno;
  readonly attributesVersion: Recno;
}

/** The outcome that a record of the server's KML states, or null where the server is its author. */
export function outcomeOfTrace(record: ServerRecord): Outcome | null {
  if (record.origin.check === NO_CHECK) return null;
  const { operation, recno, origin } = record;
  if (operation.opcode === "OUTCOME") {
    const { verdict, reason, oid, nameVersion, contentVersion, attributesVersion } = operation;
    return {
      verdict,
      reason,
      trace: recno,
      check: origin.check,
      oid,
      nameVersion,
      contentVersion,
      attributesVersion,
    };
  }
  const isCopy = "conflict" in operation && operation.conflict !== null;
  return {
    verdict: isCopy ? "copied" : "applied",
    reason: null,
    trace: recno,
    check: origin.check,
    oid: continuingOid(operation),
    nameVersion: recno,
    contentVersion: continuingContent(operation) ?? recno,
    attributesVersion: recno,
  };
}

/** A move leaves the content as it is: who builds on it builds on the content that its author saw move. */
function continuingContent(operation: ServerRecord["operation"]): Recno | undefined {
  if (operation.opcode !== "RENAME" || operation.keepsOid) return undefined;
  return typeof operation.contentBase === "number" ? operation.contentBase : undefined;
}

/** The object on which records go on that build on this one. */
export function continuingOid(operation: ServerRecord["operation"]): Oid {
  // After an atomic save the temporary oid has ended; its author goes on with the one that it saved to.
  if (operation.opcode === "RENAME" && operation.keepsOid && operation.victim !== null)
    return operation.victim.oid;
  return "oid" in operation ? operation.oid : ROOT_OID;
}
