import {
  type ClientOperation,
  directoryPath,
  type Entry,
  IzoError,
  keptPathOf,
  objectAt,
  type Oid,
  originalPathOf,
  type Recno,
  standingConflict,
  type StandingConflict,
  type StateReader,
  type TimeNs,
  type TreeObject,
} from "@izo/core";

/** What somebody decided about a conflict: git's words, *ours* has the name, *theirs* is the copy. */
export const RESOLUTIONS = ["ours", "theirs", "both"] as const;
export type ResolutionKind = (typeof RESOLUTIONS)[number];

export interface ConflictResolution {
  readonly copy: Oid;
  readonly kind: ResolutionKind;
  /** Content versions of both sides that were looked at; null where the original was gone. */
  readonly seen: { readonly copy: Recno; readonly original: Recno | null };
}

/** A decision that cannot be carried out as it stands; nothing was changed. */
export class CannotResolveError extends IzoError {
  constructor(path: string, reason: string) {
    super("cannot-resolve", `Cannot resolve the conflict of ${JSON.stringify(path)}: ${reason}`, {
      path,
      reason,
    });
  }
}

/** A conflict with both of its objects as they are now; undefined where it does not stand any more. */
export interface ConflictSides {
  readonly conflict: StandingConflict;
  readonly copy: TreeObject;
  readonly original: TreeObject | null;
}

export function conflictSides(copy: Oid, state: StateReader): ConflictSides | undefined {
  const conflict = standingConflict(copy, state);
  if (conflict === undefined) return undefined;
  const { original } = conflict;
  return {
    conflict,
    copy: state.object(copy)!,
    original: original === null ? null : state.object(original.oid)!,
  };
}

/**
 * The changes that carry out a decision: those that a program would make, with the versions that somebody
 * saw as their bases. So whatever happens between the look and the log is judged like any other conflict,
 * and nothing that was not seen is lost. The copy goes last.
 *
 * @throws CannotResolveError
 */
export function planResolution(
  { copy: oid, kind, seen }: ConflictResolution,
  state: StateReader,
  nowNs: TimeNs,
): ClientOperation[] {
  const sides = conflictSides(oid, state);
  if (sides === undefined) throw new CannotResolveError(oid, "it does not stand any more");
  const { conflict, copy, original } = sides;
  const { path } = conflict.copy;
  const isAsSeen =
    copy.contentVersion === seen.copy && (original?.contentVersion ?? null) === seen.original;
  if (!isAsSeen) throw new CannotResolveError(path, "it was changed since you looked; look again");
  const entry = entryAt(state, oid, path);
  switch (kind) {
    case "ours":
      return [removal(entry, copy, path, state)];
    case "both":
      return [move(entry, copy, path, keptPathOf(conflict), state)];
    case "theirs":
      if (original === null) return [move(entry, copy, path, originalPathOf(path), state)];
      if (copy.kind !== "file" || original.kind !== "file" || copy.sha256 === null) {
        throw new CannotResolveError(path, "only a file can take the content of another");
      }
      return [
        {
          opcode: "CLOSE",
          oid: original.oid,
          path: conflict.original!.path,
          contentBase: original.contentVersion,
          sizeBytes: copy.sizeBytes,
          mtimeNs: nowNs,
          sha256: copy.sha256,
          conflict: null,
        },
        removal(entry, copy, path, state),
      ];
  }
}

function removal(
  entry: Entry,
  { oid, kind, contentVersion }: TreeObject,
  path: string,
  state: StateReader,
): ClientOperation {
  const { parent, name, version: nameBase } = entry;
  if (kind === "directory") {
    if ([...state.children(oid)].length > 0) {
      throw new CannotResolveError(path, "the directory is not empty: move what is in it");
    }
    return { opcode: "RMDIR", oid, parent, name, path, nameBase };
  }
  return {
    opcode: "UNLINK",
    oid,
    parent,
    name,
    path,
    nameBase,
    contentBase: contentVersion,
    isLastName: state.links(oid).length === 1,
  };
}

function move(
  entry: Entry,
  { oid, contentVersion }: TreeObject,
  fromPath: string,
  toPath: string,
  state: StateReader,
): ClientOperation {
  const slash = toPath.lastIndexOf("/");
  const toParent = objectAt(state, toPath.slice(0, slash));
  if (toParent === undefined) {
    throw new CannotResolveError(fromPath, `the directory of ${JSON.stringify(toPath)} is gone`);
  }
  if (objectAt(state, toPath) !== undefined) {
    throw new CannotResolveError(fromPath, `the name ${JSON.stringify(toPath)} is taken`);
  }
  return {
    opcode: "RENAME",
    oid,
    contentBase: contentVersion,
    fromParent: entry.parent,
    fromName: entry.name,
    fromPath,
    fromBase: entry.version,
    toParent,
    toName: toPath.slice(slash + 1) as Entry["name"],
    toPath,
    victim: null,
    keepsOid: false,
    conflict: null,
  };
}

/** The name under which the copy is the copy; an object may have others. */
function entryAt(state: StateReader, oid: Oid, path: string): Entry {
  const slash = path.lastIndexOf("/");
  return state
    .links(oid)
    .find(
      ({ parent, name }) =>
        name === path.slice(slash + 1) && directoryPath(state, parent) === path.slice(0, slash),
    )!;
}
