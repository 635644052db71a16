import type { RmdirOperation, UnlinkOperation } from "../kml/operation.ts";
import { pathOf } from "../replay/path-of.ts";
import type { StateReader } from "../replay/state.ts";
import { isSameVersion, type Entry } from "../replay/tree-object.ts";
import { applied, merged, refused, type Decision } from "./decision.ts";

/**
 * Judges the removal of a name. Only what its author had seen goes: an object that has moved on keeps
 * its new name, a content that was edited since survives the removal of its last name.
 */
export function judgeUnlink(operation: UnlinkOperation, state: StateReader): Decision {
  const entry = removedEntry(operation, state);
  if (entry === undefined) return merged("already-removed", state, operation.oid, undefined);
  const object = state.object(operation.oid)!;
  if (object.kind === "directory") return refused("wrong-kind", state, operation.oid);
  const isLastName = state.links(operation.oid).length === 1;
  if (isLastName && !operation.isLastName) return refused("last-name", state, operation.oid);
  if (isLastName && !isSameVersion(object.contentVersion, operation.contentBase)) {
    return refused("edited-since", state, operation.oid);
  }
  return applied({ ...operation, path: pathOf(state, operation.parent, operation.name) });
}

/** Judges the removal of a directory: refused while it has entries, for its author had not seen them. */
export function judgeRmdir(operation: RmdirOperation, state: StateReader): Decision {
  const entry = removedEntry(operation, state);
  if (entry === undefined) return merged("already-removed", state, operation.oid, undefined);
  if (state.object(operation.oid)!.kind !== "directory")
    return refused("wrong-kind", state, operation.oid);
  if (state.hasChildren(operation.oid)) return refused("not-empty", state, operation.oid);
  return applied({ ...operation, path: pathOf(state, operation.parent, operation.name) });
}

/** The very name that the author removed: same place, same object, put there by the same record. */
function removedEntry(
  operation: UnlinkOperation | RmdirOperation,
  state: StateReader,
): Entry | undefined {
  const entry = state.entry(operation.parent, operation.name);
  if (entry === undefined || entry.oid !== operation.oid) return undefined;
  return isSameVersion(entry.version, operation.nameBase) ? entry : undefined;
}
