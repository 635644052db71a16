import {
  objectAt,
  type Oid,
  ProblemError,
  resolveOid,
  resolveOperation,
  ROOT_OID,
  type StateReader,
  type SubmittedRecord,
} from "@izo/core";

/**
 * Refuses records that would change anything but what is below a directory, by where objects are now and
 * not by what the records say. A file with a name elsewhere counts as elsewhere; one that was removed
 * meanwhile is where it was last. The directory itself is not below itself.
 *
 * @throws ProblemError `out-of-scope`
 */
export function refuseOutside(
  state: StateReader,
  records: readonly SubmittedRecord[],
  below: string,
): void {
  if (below === "/") return;
  const base = objectAt(state, below);
  /** Made by earlier records of the same push. */
  const made = new Set<Oid>();

  const isInside = (directory: Oid): boolean => {
    let oid: Oid | undefined = directory;
    for (let depth = 0; oid !== undefined && oid !== ROOT_OID && depth < MAX_DEPTH; depth += 1) {
      oid = resolveOid(oid, state);
      if (oid === base || made.has(oid)) return true;
      oid = (state.links(oid)[0] ?? state.tombstone(oid))?.parent;
    }
    return false;
  };

  const isObjectInside = (given: Oid): boolean => {
    const oid = resolveOid(given, state);
    if (made.has(oid)) return true;
    const links = state.links(oid);
    const places = links.length > 0 ? links : [state.tombstone(oid)];
    return places.every((place) => place !== undefined && isInside(place.parent));
  };

  for (const { operation: submitted, origin } of records) {
    // A base may lead to another object: what it leads to is what would be changed.
    const resolution = resolveOperation(submitted, state);
    if (resolution.kind === "base-refused") continue;
    const { operation } = resolution;
    const parents: Oid[] = [];
    if ("parent" in operation) parents.push(operation.parent);
    if (operation.opcode === "RENAME") parents.push(operation.fromParent, operation.toParent);
    // An id that means something already stays what it is, whatever the record says that it makes.
    const isNew =
      MAKES.has(operation.opcode) && "oid" in operation && !isKnown(state, operation.oid);
    const victim = operation.opcode === "RENAME" ? operation.victim : null;
    const isAllowed =
      parents.every(isInside) &&
      (isNew || !("oid" in operation) || isObjectInside(operation.oid)) &&
      (victim === null || isObjectInside(victim.oid)) &&
      (parents.length > 0 || "oid" in operation || operation.opcode === "NOOP");
    if (!isAllowed) {
      throw new ProblemError(
        "out-of-scope",
        `Cannot take the push: record ${origin.recno} changes something outside of ${JSON.stringify(below)}, and the token does not allow it`,
        { originRecno: origin.recno, below },
      );
    }
    if (isNew) made.add(operation.oid);
  }
}

/** Deeper than any tree: what removed directories say of their places is not checked for cycles. */
const MAX_DEPTH = 65_536;

const MAKES: ReadonlySet<string> = new Set(["CREATE", "MKDIR", "SYMLINK", "MKNOD"]);

function isKnown(state: StateReader, oid: Oid): boolean {
  return (
    state.object(oid) !== undefined ||
    state.alias(oid) !== undefined ||
    state.tombstone(oid) !== undefined
  );
}
