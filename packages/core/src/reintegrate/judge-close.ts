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
import { objectPath } from "../replay/path-of.ts";
import type { StateReader } from "../replay/state.ts";
import { isSameVersion, type Tombstone, type TreeObject } from "../replay/tree-object.ts";
import { applied, copied, dropped, loggedVersion, merged, type Decision } from "./decision.ts";
import {
  besides,
  extendedAttributes,
  placeCopy,
  placeIn,
  restoring,
  type Author,
} from "./placement.ts";
import { resolveOid } from "./resolve.ts";

/**
 * Judges a new content. It is never refused, because it is somebody's work: where its base still
 * holds it is applied, an equal one merges, a removed file returns for it, and otherwise the policy of its
 * path says which of the two stays; without one it becomes a conflict copy.
 */
export function judgeClose(
  operation: CloseOperation,
  state: StateReader,
  author: Author,
): Decision {
  const object = state.object(operation.oid);
  if (object === undefined) return restoreFor(operation, state, author);
  if (object.kind !== "file") return copyOf(operation, object, state, author);
  const path = objectPath(state, object.oid);
  if (isSameVersion(object.contentVersion, operation.contentBase)) {
    return applied({ ...operation, path });
  }
  if (object.sha256 === operation.sha256)
    return merged("same-content", state, object.oid, state.links(object.oid)[0]);
  switch (author.policyOf(path)) {
    case "theirs":
      return applied({ ...operation, path });
    case "ours":
      return dropped(copyOf(operation, object, state, author));
    default:
      return copyOf(operation, object, state, author);
  }
}

/** The edit survives the removal: the file returns with its oid at its last parent and name. */
function restoreFor(operation: CloseOperation, state: StateReader, author: Author): Decision {
  const tombstone = state.tombstone(operation.oid);
  if (tombstone === undefined || tombstone.object.kind !== "file") {
    return copyOf(operation, undefined, state, author);
  }
  const original = droppedFor(tombstone, state, author);
  if (original !== undefined) {
    return dropped(copyOf({ ...operation, oid: original.oid }, original, state, author));
  }
  const place = placeIn(tombstone.parent, state, author);
  if (place === null) return copyOf(operation, undefined, state, author);
  const cause = { base: loggedVersion(operation.contentBase), theirs: operation.sha256 };
  const { path, operations } = restoring(tombstone, place.parent, cause, state, author);
  return applied({ ...operation, path }, [...place.before, ...operations]);
}

/** What keeps the name, where the author goes on with a copy that the policy has taken away. */
function droppedFor(
  { object: { conflict } }: Tombstone,
  state: StateReader,
  author: Author,
): TreeObject | undefined {
  if (conflict === null) return undefined;
  const original = state.object(resolveOid(conflict.of, state));
  if (original?.kind !== "file") return undefined;
  return author.policyOf(objectPath(state, original.oid)) === "ours" ? original : undefined;
}

function copyOf(
  operation: CloseOperation,
  object: TreeObject | undefined,
  state: StateReader,
  author: Author,
): Decision {
  const beside = besides(operation.oid, lastName(operation.path), state);
  const directory = object === undefined ? ROOT_OID : beside.parent;
  const { parent, name, path, before } = placeCopy(directory, beside.name, state, author);
  const brought = state.object(copyOid(author.origin));
  if (brought !== undefined && brought.sha256 === operation.sha256)
    return merged("same-content", state, brought.oid, state.links(brought.oid)[0]);
  const oid = freeCopyOid(author.origin, state);
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
    ...before,
    created,
    ...extendedAttributes(object, oid, path),
  ]);
}

/**
 * The oid of the copy that a record becomes. A server that was restored may have got the copy back before
 * its record comes again: what was made of the copy since stays, and the record becomes another one.
 */
function freeCopyOid(origin: OriginId, state: StateReader): Oid {
  for (let attempt = 1; ; attempt += 1) {
    const oid = copyOid(origin, attempt);
    const isTaken =
      state.object(oid) !== undefined ||
      state.tombstone(oid) !== undefined ||
      state.alias(oid) !== undefined;
    if (!isTaken) return oid;
  }
}

/** The same for a record wherever it is judged. */
function copyOid({ peer, recno }: OriginId, attempt = 1): Oid {
  const suffix = attempt === 1 ? "" : ` ${attempt}`;
  const text = utf8ToBytes(`izo conflict copy ${peer}/${recno}${suffix}`);
  return bytesToHex(sha256(text)).slice(0, 32) as Oid;
}

function lastName(path: string): Name {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return name === "" ? ("file" as Name) : parseName(name);
}
