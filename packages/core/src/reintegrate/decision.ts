import type { Oid, Recno } from "../kml/identity.ts";
import type { CreateOperation, OutcomeReason, ReplicatedOperation } from "../kml/operation.ts";
import { objectPath } from "../replay/path-of.ts";
import type { StateReader } from "../replay/state.ts";
import type { Entry, Version } from "../replay/tree-object.ts";

/**
 * What the server's log gets for one client record: the operations in order, of which exactly one,
 * `trace`, is logged under the client's origin; the others are the server's own (design P1).
 */
export interface Decision {
  readonly verdict: "applied" | "merged" | "copied" | "refused";
  readonly reason: OutcomeReason | null;
  readonly operations: readonly ReplicatedOperation[];
  /** Index of the trace in {@link operations}. */
  readonly trace: number;
}

/** The record is logged as it stands, after what has to be restored for it. */
export function applied(
  operation: ReplicatedOperation,
  before: readonly ReplicatedOperation[] = [],
): Decision {
  return {
    verdict: "applied",
    reason: null,
    operations: [...before, operation],
    trace: before.length,
  };
}

/** The record is logged in the changed form of a conflict copy. */
export function copied(
  operation: ReplicatedOperation,
  before: readonly ReplicatedOperation[] = [],
): Decision {
  return {
    verdict: "copied",
    reason: null,
    operations: [...before, operation],
    trace: before.length,
  };
}

/**
 * The copy is removed again at once: its content was in the tree, so it goes into history like all that is
 * removed, and the log says what it was and for what it went.
 */
export function dropped(copy: Decision): Decision {
  const created = copy.operations.find(
    (operation): operation is CreateOperation => operation.opcode === "CREATE",
  );
  if (created === undefined) return copy;
  const { oid, parent, name, path } = created;
  const unlink: ReplicatedOperation = {
    opcode: "UNLINK",
    oid,
    parent,
    name,
    path,
    nameBase: loggedVersion(undefined),
    contentBase: loggedVersion(undefined),
    isLastName: true,
  };
  return { ...copy, operations: [...copy.operations, unlink] };
}

/** The tree already is as the author wants it: an OUTCOME says on what the author's next records build. */
export function merged(
  reason: OutcomeReason,
  state: StateReader,
  oid: Oid,
  entry: Entry | undefined,
  before: readonly ReplicatedOperation[] = [],
): Decision {
  return conclude("merged", reason, state, oid, entry, before);
}

/** Versions that an author has seen, where they are not those that stand now. */
export interface SeenVersions {
  readonly content?: Version;
  readonly attributes?: Version;
}

/**
 * As {@link merged}, for an author who knows the object but may not have seen what stands there now: its
 * next records build on what it saw, and are judged against the present.
 */
export function mergedAsSeen(
  reason: OutcomeReason,
  state: StateReader,
  oid: Oid,
  entry: Entry | undefined,
  { content, attributes }: SeenVersions,
): Decision {
  const decision = conclude("merged", reason, state, oid, entry, []);
  const operations = decision.operations.map((operation) => ({
    ...operation,
    ...(content !== undefined && { contentVersion: loggedVersion(content) }),
    ...(attributes !== undefined && { attributesVersion: loggedVersion(attributes) }),
  }));
  return { ...decision, operations };
}

/** The record cannot take effect; nothing that it carried is lost by that (its caller has seen to it). */
export function refused(
  reason: OutcomeReason,
  state: StateReader,
  oid: Oid,
  before: readonly ReplicatedOperation[] = [],
): Decision {
  return conclude("refused", reason, state, oid, state.links(oid)[0], before);
}

function conclude(
  verdict: "merged" | "refused",
  reason: OutcomeReason,
  state: StateReader,
  oid: Oid,
  entry: Entry | undefined,
  before: readonly ReplicatedOperation[],
): Decision {
  const object = state.object(oid) ?? state.tombstone(oid)?.object;
  const outcome: ReplicatedOperation = {
    opcode: "OUTCOME",
    verdict,
    reason,
    oid,
    path: objectPath(state, oid),
    nameVersion: loggedVersion(entry?.version),
    contentVersion: loggedVersion(object?.contentVersion),
    attributesVersion: loggedVersion(object?.attributesVersion),
  };
  return { verdict, reason, operations: [...before, outcome], trace: before.length };
}

/** A version as a server recno; 0 for one that no record of the server's log has established. */
export function loggedVersion(version: Version | undefined): Recno {
  return (typeof version === "number" ? version : 0) as Recno;
}
