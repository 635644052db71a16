import { ChangeScope, ProblemError, type StateReader, type SubmittedRecord } from "@izo/core";

/**
 * Refuses records that would change anything but what is below a directory; see {@link ChangeScope}.
 *
 * @throws ProblemError `out-of-scope`
 */
export function refuseOutside(
  state: StateReader,
  records: readonly SubmittedRecord[],
  below: string,
): void {
  if (below === "/") return;
  const scope = new ChangeScope(state, below);
  const outside = records.find(({ operation }) => !scope.allows(operation));
  if (outside === undefined) return;
  const { recno } = outside.origin;
  throw new ProblemError(
    "out-of-scope",
    `Cannot take the push: record ${recno} changes something outside of ${JSON.stringify(below)}, and the token does not allow it`,
    { originRecno: recno, below },
  );
}
