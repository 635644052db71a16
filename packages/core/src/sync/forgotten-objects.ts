import { NO_RECNO, type Oid, type Recno } from "../kml/identity.ts";
import type { StateReader } from "../replay/state.ts";
import type { Tombstone, TreeObject, Version } from "../replay/tree-object.ts";

/**
 * Tombstones of objects that this client knows and that a snapshot does not even name as removed: their
 * removal was cut off the server's log with its record. An own record that is still to be judged needs
 * them: without one, what it wrote would be shown nowhere, and its content be dropped with the tree.
 *
 * @param before the visible tree until now
 * @param after the visible tree with the snapshot under it
 * @param oids objects to look at; those that are there afterwards give nothing
 * @param removedAt a record before the oldest that the snapshot tells of
 */
export function* forgottenObjects(
  before: StateReader,
  after: StateReader,
  oids: Iterable<Oid>,
  removedAt: Recno,
): Generator<Tombstone, void> {
  for (const oid of oids) {
    if (isKnown(after, oid)) continue;
    const object = before.object(oid);
    const [entry] = before.links(oid);
    if (object === undefined || entry === undefined) continue;
    yield { object: withLoggedVersions(object), parent: entry.parent, name: entry.name, removedAt };
  }
}

function isKnown(state: StateReader, oid: Oid): boolean {
  return (
    state.object(oid) !== undefined ||
    state.tombstone(oid) !== undefined ||
    state.alias(oid) !== undefined
  );
}

function logged(version: Version): Recno {
  return typeof version === "number" ? version : NO_RECNO;
}

/** A version that an own record gave means nothing to a state that holds only what the server logged. */
function withLoggedVersions(object: TreeObject): TreeObject {
  return {
    ...object,
    contentVersion: logged(object.contentVersion),
    attributesVersion: logged(object.attributesVersion),
    xattrs: new Map(
      [...object.xattrs].map(([name, { value, version }]) => [
        name,
        { value, version: logged(version) },
      ]),
    ),
  };
}
