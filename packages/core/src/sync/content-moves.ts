import type { Outcome } from "../reintegrate/outcome.ts";
import type { ContentMove } from "./change-set.ts";
import type { FrozenRecord } from "./pending-record.ts";

/** Where the local content of a conflicted or merged object belongs, once its record's outcome is known. */
export function contentMoves({ submitted }: FrozenRecord, outcome: Outcome): ContentMove[] {
  const { operation } = submitted;
  if (operation.opcode === "CLOSE" || operation.opcode === "CREATE") {
    return operation.oid === outcome.oid ? [] : [{ from: operation.oid, to: outcome.oid }];
  }
  // A save that did not take over its victim: the new content, shown under the victim, is the temporary's.
  if (operation.opcode === "RENAME" && operation.keepsOid && operation.victim !== null) {
    return operation.victim.oid === outcome.oid
      ? []
      : [{ from: operation.victim.oid, to: outcome.oid }];
  }
  return [];
}
