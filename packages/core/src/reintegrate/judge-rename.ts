import type { RenameOperation } from "../kml/operation.ts";
import { isWithin, pathOf } from "../replay/path-of.ts";
import type { StateReader } from "../replay/state.ts";
import { isSameVersion, type Entry, type TreeObject } from "../replay/tree-object.ts";
import {
  applied,
  copied,
  loggedVersion,
  mergedAsSeen,
  refused,
  type Decision,
} from "./decision.ts";
import { placeBeside, placeCopy, type Author } from "./placement.ts";

/**
 * Judges a move. The first logged move of an object holds; what stands at the new name and was not
 * seen by the author stays, and the moved object takes a copy's name beside it; a move that would make
 * a cycle, or into a removed directory, is refused and the content stays where it is.
 */
export function judgeRename(
  operation: RenameOperation,
  state: StateReader,
  author: Author,
): Decision {
  const { oid, toParent, toName } = operation;
  const object = state.object(oid);
  if (object === undefined) return refused("object-removed", state, oid);
  const from = state.entry(operation.fromParent, operation.fromName);
  const target = state.entry(toParent, toName);
  const seen = { content: operation.contentBase, attributes: object.attributesVersion };
  if (from?.oid !== oid || !isSameVersion(from.version, operation.fromBase)) {
    return target?.oid === oid
      ? mergedAsSeen("same-name", state, oid, target, seen)
      : refused("moved-elsewhere", state, oid);
  }
  if (state.object(toParent)?.kind !== "directory") return refused("parent-removed", state, oid);
  if (object.kind === "directory" && isWithin(state, toParent, oid))
    return refused("cycle", state, oid);
  if (target?.oid === oid) return mergedAsSeen("same-name", state, oid, target, seen);

  const plain = {
    ...operation,
    fromPath: pathOf(state, from.parent, from.name),
    keepsOid: false,
    victim: null,
  };
  if (target === undefined) return applied({ ...plain, toPath: pathOf(state, toParent, toName) });
  const standing = state.object(target.oid)!;
  const toPath = pathOf(state, toParent, toName);
  const isWanted = (): boolean =>
    object.kind === "file" && standing.kind === "file" && author.policyOf(toPath) === "theirs";
  if (mayReplace(operation, object, standing, state) || isWanted()) {
    return applied({
      ...plain,
      toPath,
      victim: {
        oid: standing.oid,
        contentBase: standing.contentVersion,
        isLastName: namesOf(standing, state).length === 1,
      },
      keepsOid: operation.keepsOid && keepsIdentity(operation, object, standing, state),
    });
  }
  // A directory is never put aside: it might be the one that copies are put into.
  const place = object.kind === "directory" ? placeBeside : placeCopy;
  const copy = place(toParent, toName, state, author);
  return copied(
    {
      ...plain,
      toParent: copy.parent,
      toName: copy.name,
      toPath: copy.path,
      conflict: {
        of: standing.oid,
        base: loggedVersion(operation.victim?.contentBase),
        ours: standing.sha256,
        theirs: object.sha256,
      },
    },
    copy.before,
  );
}

/** Tells whether what stands at the new name is what the author saw there and meant to replace. */
function mayReplace(
  operation: RenameOperation,
  moved: TreeObject,
  standing: TreeObject,
  state: StateReader,
): boolean {
  if ((moved.kind === "directory") !== (standing.kind === "directory")) return false;
  if (standing.kind === "directory")
    return operation.victim?.oid === standing.oid && !state.hasChildren(standing.oid);
  const isSameResult =
    moved.kind === "file" && standing.kind === "file" && moved.sha256 === standing.sha256;
  if (operation.victim?.oid !== standing.oid) return false;
  if (!operation.victim.isLastName && namesOf(standing, state).length === 1) return false;
  return (
    isSameResult ||
    isSameVersion(standing.contentVersion, operation.victim.contentBase) ||
    namesOf(standing, state).length > 1
  );
}

/** An atomic save of exactly the content that its author wrote, over an object with no other name. */
function keepsIdentity(
  operation: RenameOperation,
  moved: TreeObject,
  standing: TreeObject,
  state: StateReader,
): boolean {
  return (
    moved.kind === "file" &&
    standing.kind === "file" &&
    isSameVersion(moved.contentVersion, operation.contentBase) &&
    namesOf(moved, state).length === 1 &&
    namesOf(standing, state).length === 1
  );
}

function namesOf(object: TreeObject, state: StateReader): readonly Entry[] {
  return state.links(object.oid);
}
