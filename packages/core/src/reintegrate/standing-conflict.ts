import type { Oid, Recno, Sha256 } from "../kml/identity.ts";
import { objectPath, pathOf } from "../replay/path-of.ts";
import type { StateReader } from "../replay/state.ts";
import type { ObjectKind } from "../replay/tree-object.ts";
import { parseConflictName } from "./conflict-name.ts";
import { resolveOid } from "./resolve.ts";

/** One side of a conflict, as it is in the tree now. */
export interface ConflictSide {
  readonly oid: Oid;
  readonly path: string;
  readonly kind: ObjectKind;
  readonly sizeBytes: number;
  /** Null for all but files, and while a change of the file is not hashed yet. */
  readonly sha256: Sha256 | null;
}

/**
 * A conflict that waits for somebody's decision. Git's words: *ours* is what keeps the name, *theirs* the
 * later one, which became the copy.
 */
export interface StandingConflict {
  readonly copy: ConflictSide;
  /** What keeps the name; null where it was removed since. */
  readonly original: ConflictSide | null;
  /** Of the copy's author, as the copy's name states them. */
  readonly host: string;
  readonly time: string;
  /** The content version from which both started; 0 where there was none. */
  readonly base: Recno;
  /** Contents of both when the copy was made; null where unknown, or no files. */
  readonly ours: Sha256 | null;
  readonly theirs: Sha256 | null;
}

/**
 * The conflict that an object is the copy of, in this state. It stands as long as the object has a copy's
 * name: who removes the copy, or gives it a name of its own, has decided, by whatever program.
 */
export function standingConflict(oid: Oid, state: StateReader): StandingConflict | undefined {
  const object = state.object(oid);
  if (object === undefined || object.conflict === null) return undefined;
  for (const entry of state.links(oid)) {
    const mark = parseConflictName(entry.name);
    if (mark === undefined) continue;
    const { base, ours, theirs, of } = object.conflict;
    return {
      copy: sideOf(oid, pathOf(state, entry.parent, entry.name), state)!,
      original: sideOf(resolveOid(of, state), undefined, state),
      host: mark.host,
      time: mark.time,
      base,
      ours,
      theirs,
    };
  }
  return undefined;
}

function sideOf(oid: Oid, path: string | undefined, state: StateReader): ConflictSide | null {
  const object = state.object(oid);
  if (object === undefined) return null;
  const { kind, sizeBytes, sha256 } = object;
  return { oid, path: path ?? objectPath(state, oid), kind, sizeBytes, sha256 };
}
