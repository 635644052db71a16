import type { OutcomeReason } from "./operation.ts";

/** Numbers of the reasons in the bytes of an OUTCOME. Stable: a new reason takes the next number. */
export const OUTCOME_REASONS = {
  "same-content": 1,
  "same-attributes": 2,
  "same-name": 3,
  "already-removed": 4,
  "newer-content": 5,
  "edited-since": 6,
  "attributes-changed": 7,
  "moved-elsewhere": 8,
  "parent-removed": 9,
  "object-removed": 10,
  "unknown-object": 11,
  "wrong-kind": 12,
  "oid-taken": 13,
  "not-empty": 14,
  cycle: 15,
  "base-refused": 16,
  "last-name": 17,
  "not-storable": 18,
} as const satisfies Record<OutcomeReason, number>;

const REASONS = new Map<number, OutcomeReason>(
  Object.entries(OUTCOME_REASONS).map(([reason, number]) => [number, reason as OutcomeReason]),
);

/** The reason with this number, or undefined where there is none. */
export function outcomeReasonOf(number: number): OutcomeReason | undefined {
  return REASONS.get(number);
}
