import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

import { ROOT_OID, type Oid } from "../kml/identity.ts";
import { parseName, type Name } from "../kml/name.ts";
import type {
  CloseOperation,
  ConflictNote,
  OriginId,
  ReplicatedOperation,
} from "../kml/operation.ts";
import { objectPath, pathOf } from "../replay/path-of.ts";
import type { StateReader } from "../replay/state.ts";
import { isSameVersion, type TreeObject } from "../replay/tree-object.ts";
import { applied, copied, loggedVersion, merged, type Decision } from "./decision.ts";
import {
  besides,
  copyName,
  extendedAttributes,
  placeIn,
  restoring,
  type Author,
} from "./placement.ts";

/**
 * Judges a new content. It is never refused, because it is somebody's work: where its base still
 * holds it is applied, an equal one merges, a removed file returns for it, and otherwise it becomes a
 * conflict copy beside what stands there.
 */
export function judgeClose(
  operation: CloseOperation,
  origin: OriginId,
  state: StateReader,
  author: Author,
): Decision {
  const object = state.object(operation.oid);
  if (object === undefined) return restoreFor(operation, origin, state, author);
  if (object.kind !== "file") return copyOf(operation, object, origin, state, author);
  if (isSameVersion(object.contentVersion, operation.contentBase)) {
    return applied({ ...operation, path: objectPath(state, object.oid) });
  }
  if (object.sha256 === operation.sha256)
    return merged("same-content", state, object.oid, state.links(object.oid)[0]);
  return copyOf(operation, object, origin, state, author);
}

/** The edit survives the removal: the file returns with its oid at its last parent and name. */
function restoreFor(
  operation: CloseOperation,
  origin: OriginId,
  state: StateReader,
  author: Author,
): Decision {
  const tombstone = state.tombstone(operation.oid);
  if (tombstone === undefined || tombstone.object.kind !== "file") {
    return copyOf(operation, undefined, origin, state, author);
  }
  const place = placeIn(tombstone.parent, state, author);
  if (place === null) return copyOf(operation, undefined, origin, state, author);
  const cause = { base: loggedVersion(operation.contentBase), theirs: operation.sha256 };
  const { path, operations } = restoring(tombstone, place.parent, cause, state, author);
  return applied({ ...operation, path }, [...place.before, ...operations]);
}

function copyOf(
  operation: CloseOperation,
  object: TreeObject | undefined,
  origin: OriginId,
  state: StateReader,
  author: Author,
): Decision {
  const place = besides(operation.oid, lastName(operation.path), state);
  const parent = object === undefined ? ROOT_OID : place.parent;
  const name = copyName(parent, place.name, state, author);
  const path = pathOf(state, parent, name);
  const oid = copyOid(origin);
  const conflict: ConflictNote = {
    of: operation.oid,
    base: loggedVersion(operation.contentBase),
    ours: object?.sha256 ?? null,
    theirs: operation.sha256,
  };
  const created: ReplicatedOperation = {
    opcode: "CREATE",
    oid,
    parent,
    name,
    path,
    mode: object?.kind === "file" ? object.mode : 0o644,
    uid: object?.uid ?? 0,
    gid: object?.gid ?? 0,
    mtimeNs: operation.mtimeNs,
    conflict,
  };
  return copied({ ...operation, oid, path, contentBase: loggedVersion(undefined), conflict }, [
    created,
    ...extendedAttributes(object, oid, path),
  ]);
}

/** The oid of the copy that a record becomes: the same wherever the record is judged. */
function copyOid(origin: OriginId): Oid {
  return bytesToHex(sha256(utf8ToBytes(`izo conflict copy ${origin.peer}/${origin.recno}`))).slice(
    0,
    32,
  ) as Oid;
}

function lastName(path: string): Name {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return name === "" ? ("file" as Name) : parseName(name);
}
