import { EMPTY_SHA256, NO_RECNO, type Recno, type Sha256 } from "../kml/identity.ts";
import type { LinkOperation } from "../kml/operation.ts";
import { type Creation, KIND_OF } from "../replay/creation.ts";
import { pathOf } from "../replay/path-of.ts";
import type { StateReader } from "../replay/state.ts";
import type { Entry, Tombstone, TreeObject } from "../replay/tree-object.ts";
import {
  applied,
  copied,
  dropped,
  merged,
  mergedAsSeen,
  refused,
  type Decision,
} from "./decision.ts";
import { placeCopy, placeIn, type Author, type Placement } from "./placement.ts";
import { resolveOid } from "./resolve.ts";

/**
 * Judges a new object: the first logged keeps the name, an equal one merges, any other takes the name
 * of a conflict copy; a removed directory returns for what is made inside it.
 *
 * @param contentToCome hash of the content that the same author closes next, where it is known: two
 *   files made with equal content are the same result, not a conflict
 * @param revives the removal that the author takes back with it, where it says so
 */
export function judgeCreation(
  operation: Creation,
  state: StateReader,
  author: Author,
  contentToCome: Sha256 | undefined,
  revives: Recno | undefined,
): Decision {
  const known = state.object(operation.oid);
  const own = state.entry(resolveOid(operation.parent, state), operation.name);
  // The very same object again: a peer that took a new id, or that restores what a server lost.
  if (
    known !== undefined &&
    own?.oid === operation.oid &&
    known.kind === KIND_OF[operation.opcode]
  ) {
    return mergedAsSeen("same-name", state, operation.oid, own, {
      content: own.version,
      attributes: own.version,
    });
  }
  if (
    known !== undefined ||
    !mayRevive(operation, state.tombstone(operation.oid), revives) ||
    state.alias(operation.oid) !== undefined
  ) {
    return refused("oid-taken", state, resolveOid(operation.oid, state));
  }
  const place = placeIn(operation.parent, state, author);
  if (place === null) return refused("unknown-object", state, operation.oid);
  const { parent, before } = place;
  // The directory returns, and what is made in it with it, above it: nothing is made below itself.
  const isAbove = before.some((made) => "oid" in made && made.oid === operation.oid);
  if (isAbove) return refused("cycle", state, operation.oid);
  const taken = state.entry(parent, operation.name);
  if (taken === undefined) {
    return applied({ ...operation, parent, path: pathOf(state, parent, operation.name) }, before);
  }
  const standing = state.object(taken.oid);
  if (standing !== undefined && isSameResult(operation, standing, contentToCome)) {
    const reason = standing.kind === "file" ? "same-content" : "same-name";
    return merged(reason, state, taken.oid, taken, [
      ...before,
      { opcode: "ALIAS", alias: operation.oid, oid: taken.oid },
    ]);
  }
  if (operation.opcode === "CREATE" && standing?.kind === "file") {
    switch (author.policyOf(pathOf(state, parent, operation.name))) {
      case "theirs":
        // One object from now on; the content that comes next is judged by the same policy.
        return merged("same-name", state, taken.oid, taken, [
          ...before,
          { opcode: "ALIAS", alias: operation.oid, oid: taken.oid },
        ]);
      case "ours":
        return dropped(copyOf(operation, taken, contentToCome, { parent, before }, state, author));
      default:
    }
  }
  return copyOf(operation, taken, contentToCome, { parent, before }, state, author);
}

/** A removed object returns under its id only for who knows of its removal, and of no other since. */
function mayRevive(
  operation: Creation,
  tombstone: Tombstone | undefined,
  revives: Recno | undefined,
): boolean {
  if (tombstone === undefined) return true;
  return tombstone.removedAt === revives && tombstone.object.kind === KIND_OF[operation.opcode];
}

function copyOf(
  operation: Creation,
  taken: Entry,
  contentToCome: Sha256 | undefined,
  place: Placement,
  state: StateReader,
  author: Author,
): Decision {
  const { before, ...copy } = placeCopy(place.parent, operation.name, state, author);
  const conflict = {
    of: taken.oid,
    base: NO_RECNO,
    ours: state.object(taken.oid)?.sha256 ?? null,
    theirs: operation.opcode === "CREATE" ? (contentToCome ?? null) : null,
  };
  return copied({ ...operation, ...copy, conflict }, [...place.before, ...before]);
}

/** Judges one more name of an object. A link brings nothing back: the object has to live. */
export function judgeLink(operation: LinkOperation, state: StateReader, author: Author): Decision {
  const { oid, parent } = operation;
  const object = state.object(oid);
  if (object === undefined) return refused("object-removed", state, oid);
  if (object.kind === "directory") return refused("wrong-kind", state, oid);
  if (state.object(parent)?.kind !== "directory") return refused("parent-removed", state, oid);
  const taken = state.entry(parent, operation.name);
  if (taken === undefined)
    return applied({ ...operation, path: pathOf(state, parent, operation.name) });
  if (taken.oid === oid) return merged("same-name", state, oid, taken);
  const { before, ...copy } = placeCopy(parent, operation.name, state, author);
  const ours = state.object(taken.oid)?.sha256 ?? null;
  const conflict = { of: taken.oid, base: NO_RECNO, ours, theirs: object.sha256 };
  return copied({ ...operation, ...copy, conflict }, before);
}

function isSameResult(
  operation: Creation,
  standing: TreeObject,
  contentToCome: Sha256 | undefined,
): boolean {
  switch (operation.opcode) {
    case "CREATE":
      return standing.kind === "file" && standing.sha256 === (contentToCome ?? EMPTY_SHA256);
    case "MKDIR":
      return standing.kind === "directory";
    case "SYMLINK":
      return standing.kind === "symlink" && standing.target === operation.target;
    case "MKNOD":
      return (
        standing.kind === "special" &&
        standing.mode === operation.mode &&
        standing.rdev === operation.rdev
      );
  }
}
