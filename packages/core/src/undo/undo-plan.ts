import type { Oid, Recno } from "../kml/identity.ts";
import type { ClientOperation } from "../kml/operation.ts";

/** Why something stays as it is. */
export const LEFT_ALONE_REASONS = {
  "edited-since": "somebody else has written to it since",
  "attributes-changed": "somebody else has changed its attributes since",
  "moved-since": "somebody else has moved it since",
  "removed-since": "somebody else has removed it since",
  "name-taken": "somebody else has given its name to something since",
  "parent-removed": "the directory that it was in is not there any more",
  "content-gone": "its old content is not kept any more",
  "not-empty": "somebody else has put something into it since",
} as const;

export type LeftAloneReason = keyof typeof LEFT_ALONE_REASONS;

/** What a selected record changed and is not undone, because it would undo somebody else's work. */
export interface LeftAlone {
  /** Where it is now, or where it was. */
  readonly path: string;
  readonly oid: Oid;
  readonly reason: LeftAloneReason;
  /** The record that is in the way; null where there is no single one. */
  readonly by: Recno | null;
}

/** An object that is made anew under its own id. */
export interface Revival {
  readonly oid: Oid;
  /** The removal that is known to whoever brings it back: another one in between is not undone. */
  readonly removedAt: Recno;
}

/** What an undo does. Operation n is the record n of the peer that it was planned for. */
export interface UndoPlan {
  readonly operations: readonly ClientOperation[];
  readonly revivals: readonly Revival[];
  readonly leftAlone: readonly LeftAlone[];
}
