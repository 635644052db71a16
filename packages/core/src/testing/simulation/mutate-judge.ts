/** Broken judges, for mutations: each gives the real one a record that is not as it was sent. */

import type { Base, ClientOperation } from "../../kml/operation.ts";
import type { SubmittedRecord } from "../../reintegrate/reintegrate.ts";
import type { StateReader } from "../../replay/state.ts";

/** Whatever content stands there is taken for what the author of a removal saw. */
export function withoutVictimVersion(
  submitted: SubmittedRecord,
  state: StateReader,
): SubmittedRecord {
  const { operation } = submitted;
  if (operation.opcode === "UNLINK") {
    const contentBase = presentContent(operation, operation.contentBase, state);
    return { ...submitted, operation: { ...operation, contentBase } };
  }
  if (operation.opcode === "RENAME" && operation.victim !== null) {
    const contentBase = presentContent(operation.victim, operation.victim.contentBase, state);
    const victim = { ...operation.victim, contentBase };
    return { ...submitted, operation: { ...operation, victim } };
  }
  return submitted;
}

/** Whatever content stands there is taken for what the author of a new content saw. */
export function withoutBaseCheck(submitted: SubmittedRecord, state: StateReader): SubmittedRecord {
  const { operation } = submitted;
  if (operation.opcode !== "CLOSE") return submitted;
  const contentBase = presentContent(operation, operation.contentBase, state);
  return { ...submitted, operation: { ...operation, contentBase } };
}

function presentContent(
  { oid }: Pick<Extract<ClientOperation, { oid: unknown }>, "oid">,
  seen: Base,
  state: StateReader,
): Base {
  return state.object(oid)?.contentVersion ?? seen;
}
