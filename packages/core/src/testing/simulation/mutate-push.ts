import type { SubmittedRecord } from "../../reintegrate/reintegrate.ts";
import type { FrozenRecord } from "../../sync/pending-record.ts";

/** The mutated optimizer: a frozen CLOSE gets the newest content of its object before it is sent again. */
export function withLatestContents(
  records: readonly SubmittedRecord[],
  frozen: readonly FrozenRecord[],
): SubmittedRecord[] {
  return records.map((record) => {
    const { operation, origin } = record;
    if (operation.opcode !== "CLOSE") return record;
    const latest = frozen
      .map(({ submitted }) => submitted.operation)
      .findLast((other) => other.opcode === "CLOSE" && other.oid === operation.oid);
    if (latest === undefined || latest === operation || latest.opcode !== "CLOSE") return record;
    const check = `${origin.check.slice(0, 8)}00000000`;
    return {
      ...record,
      origin: { ...origin, check },
      operation: { ...operation, sha256: latest.sha256 },
    };
  });
}
