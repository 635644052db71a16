import { NO_RECNO } from "../kml/identity.ts";
import type {
  DelextattrOperation,
  SetattrOperation,
  SetextattrOperation,
} from "../kml/operation.ts";
import { isReplicatedXattr } from "../kml/replicated-xattr.ts";
import { objectPath } from "../replay/path-of.ts";
import type { StateReader } from "../replay/state.ts";
import { isSameVersion } from "../replay/tree-object.ts";
import { applied, merged, mergedAsSeen, refused, type Decision } from "./decision.ts";

/**
 * Judges mode, owner and times. They bring nothing back, and the first logged change of attributes
 * holds. A time belongs to the content for which it was given: over another content it has no meaning.
 */
export function judgeSetattr(operation: SetattrOperation, state: StateReader): Decision {
  const object = state.object(operation.oid);
  if (object === undefined) return refused("object-removed", state, operation.oid);
  const { attributes, times } = operation;
  const hasAttributes =
    attributes !== null && isSameVersion(object.attributesVersion, attributes.base);
  const hasTimes =
    times !== null &&
    (object.kind === "directory" || isSameVersion(object.contentVersion, times.contentBase));
  if (hasAttributes || hasTimes) {
    return applied({
      ...operation,
      path: objectPath(state, object.oid),
      attributes: hasAttributes ? attributes : null,
      times: hasTimes ? times : null,
    });
  }
  const isSame =
    attributes === null ||
    (object.mode === attributes.mode &&
      object.uid === attributes.uid &&
      object.gid === attributes.gid);
  const entry = state.links(object.oid)[0];
  if (isSame) return merged("same-attributes", state, object.oid, entry);
  return refused("attributes-changed", state, object.oid);
}

/** Judges one extended attribute; each is a version of its own. */
export function judgeExtendedAttribute(
  operation: SetextattrOperation | DelextattrOperation,
  state: StateReader,
): Decision {
  const object = state.object(operation.oid);
  if (object === undefined) return refused("object-removed", state, operation.oid);
  // What is never put on a disk would be found missing there at the next look.
  const isStorable = object.kind !== "symlink" && isReplicatedXattr(operation.attribute);
  if (!isStorable) return refused("not-storable", state, object.oid);
  const standing = object.xattrs.get(operation.attribute);
  if (isSameVersion(standing?.version ?? NO_RECNO, operation.base)) {
    return applied({ ...operation, path: objectPath(state, object.oid) });
  }
  const wanted = operation.opcode === "SETEXTATTR" ? operation.value : undefined;
  if (isSameValue(standing?.value, wanted)) {
    // The version of this attribute, which is its own, not that of mode and owner.
    const attributes = standing?.version ?? NO_RECNO;
    const entry = state.links(object.oid)[0];
    return mergedAsSeen("same-attributes", state, object.oid, entry, { attributes });
  }
  return refused("attributes-changed", state, object.oid);
}

function isSameValue(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
