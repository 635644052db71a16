import {
  NO_RECNO,
  ROOT_OID,
  type Oid,
  type Recno,
  type Sha256,
  type TimeNs,
} from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { OriginId, ReplicatedOperation } from "../kml/operation.ts";
import { creationOf } from "../replay/creation.ts";
import { pathOf } from "../replay/path-of.ts";
import type { StateReader } from "../replay/state.ts";
import type { Entry, Tombstone, TreeObject } from "../replay/tree-object.ts";
import { placeAside } from "./aside.ts";
import { conflictName } from "./conflict-name.ts";
import type { PolicyOf } from "./conflict-policy.ts";
import { resolveOid } from "./resolve.ts";

/** Whose record is judged, as far as the place of a conflict copy depends on it. */
export interface Author {
  readonly timeNs: TimeNs;
  readonly host: string;
  readonly origin: OriginId;
  readonly policyOf: PolicyOf;
}

/** A directory that lives, and the records that bring it back where it was removed. */
export interface Placement {
  readonly parent: Oid;
  readonly before: readonly ReplicatedOperation[];
}

/**
 * Finds the directory in which something has to stand. A removed one returns with its oid, at its last
 * parent and name, and so do those above it; where a directory has taken its name the two merge, where
 * something else has, it returns under a copy's name (design §7).
 *
 * @returns null when the id never was a directory of this fileset
 */
export function placeIn(parent: Oid, state: StateReader, author: Author): Placement | null {
  const oid = resolveOid(parent, state);
  const living = state.object(oid);
  if (living !== undefined) return living.kind === "directory" ? { parent: oid, before: [] } : null;
  const tombstone = state.tombstone(oid);
  if (tombstone === undefined || tombstone.object.kind !== "directory") return null;
  const above = placeIn(tombstone.parent, state, author);
  if (above === null) return null;
  const taken = state.entry(above.parent, tombstone.name);
  if (taken !== undefined && state.object(taken.oid)?.kind === "directory") {
    return {
      parent: taken.oid,
      before: [...above.before, { opcode: "ALIAS", alias: oid, oid: taken.oid }],
    };
  }
  const restored = restoring(tombstone, above.parent, NOTHING_NEW, state, author);
  return { parent: oid, before: [...above.before, ...restored.operations] };
}

/** Where a conflict copy stands, and the records that make its directory. */
export interface CopyPlace {
  readonly parent: Oid;
  readonly name: Name;
  readonly path: string;
  readonly before: readonly ReplicatedOperation[];
}

/** A place for the copy of what would stand under a name: aside where the policy of the path says so. */
export function placeCopy(parent: Oid, name: Name, state: StateReader, author: Author): CopyPlace {
  const isAside = author.policyOf(pathOf(state, parent, name)) === "aside";
  const aside = isAside ? placeAside(parent, author.origin, state) : null;
  if (aside === null) return placeBeside(parent, name, state, author);
  const copy = copyName(aside.parent, name, state, author);
  return { ...aside, name: copy, path: `${aside.path}/${copy}` };
}

/** A place for a copy in the directory itself, whatever the policy. */
export function placeBeside(
  parent: Oid,
  name: Name,
  state: StateReader,
  author: Author,
): CopyPlace {
  const copy = copyName(parent, name, state, author);
  return { parent, name: copy, path: pathOf(state, parent, copy), before: [] };
}

/** The name of a conflict copy that stands beside `name`. */
function copyName(parent: Oid, name: Name, state: StateReader, author: Author): Name {
  return conflictName(
    name,
    author.timeNs,
    author.host,
    (candidate) => state.entry(parent, candidate) !== undefined,
  );
}

/** What an object returns for: a new content, or nothing of its own. */
interface Cause {
  readonly base: Recno;
  readonly theirs: Sha256 | null;
}

const NOTHING_NEW: Cause = { base: NO_RECNO, theirs: null };

/**
 * The records that make a removed object anew, under its own id and with the attributes that it had. Where
 * its name is taken by now it gets that of a conflict copy, and a note that says of what.
 */
export function restoring(
  { object, name: lastName }: Tombstone,
  parent: Oid,
  { base, theirs }: Cause,
  state: StateReader,
  author: Author,
): { readonly path: string; readonly operations: readonly ReplicatedOperation[] } {
  const taken = state.entry(parent, lastName);
  const name = taken === undefined ? lastName : copyName(parent, lastName, state, author);
  const conflict =
    taken === undefined
      ? object.conflict
      : { of: taken.oid, base, ours: state.object(taken.oid)?.sha256 ?? null, theirs };
  const path = pathOf(state, parent, name);
  return {
    path,
    operations: [
      creationOf({ ...object, parent, name, path, conflict }),
      ...extendedAttributes(object, object.oid, path),
    ],
  };
}

/** The records that give an object that was just made the extended attributes of another. */
export function extendedAttributes(
  from: TreeObject | undefined,
  oid: Oid,
  path: string,
): ReplicatedOperation[] {
  return Array.from(from?.xattrs ?? [], ([attribute, { value }]) => ({
    opcode: "SETEXTATTR",
    oid,
    path,
    attribute,
    value,
    base: NO_RECNO,
  }));
}

/** Where a copy of an object belongs: beside it, or in the root where the object has no name. */
export function besides(
  oid: Oid,
  fallback: Name,
  state: StateReader,
): { readonly parent: Oid; readonly name: Name } {
  const entry: Entry | undefined = state.links(oid)[0];
  return entry ?? { parent: ROOT_OID, name: fallback };
}
