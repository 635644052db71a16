import type { Oid } from "../kml/identity.ts";
import type { Base, ClientOperation, RenameOperation } from "../kml/operation.ts";
import type { StateReader } from "../replay/state.ts";
import { isSameVersion, type Entry, type Version } from "../replay/tree-object.ts";

/** The object that an id means now: merged objects live on under the first oid (design D1). */
export function resolveOid(oid: Oid, state: StateReader): Oid {
  let resolved = oid;
  for (let next = state.alias(resolved); next !== undefined; next = state.alias(resolved))
    resolved = next;
  return resolved;
}

/** An operation whose ids and bases mean what the server's log says, or the news that its base was refused. */
export type Resolution =
  | { readonly kind: "resolved"; readonly operation: ClientOperation }
  | { readonly kind: "base-refused" };

class BaseRefused extends Error {}

/**
 * Follows what became of the records on which an operation builds (design D3): applied, continue
 * there; copied, continue on the copy; merged, on the surviving oid; refused, refused with it, but a
 * content is kept under the id that it names (K5). Bases whose outcome is not known yet stay as they
 * are, which happens only on the client that made them.
 */
export function resolveOperation(operation: ClientOperation, state: StateReader): Resolution {
  try {
    return { kind: "resolved", operation: resolve(operation, state) };
  } catch (error) {
    if (!(error instanceof BaseRefused)) throw error;
    if (operation.opcode !== "CLOSE") return { kind: "base-refused" };
    return { kind: "resolved", operation: { ...operation, oid: resolveOid(operation.oid, state) } };
  }
}

function resolve(operation: ClientOperation, state: StateReader): ClientOperation {
  switch (operation.opcode) {
    case "NOOP":
      return operation;
    case "CREATE":
    case "MKDIR":
    case "SYMLINK":
    case "MKNOD":
      // Its own oid stays: one that already means something else has to be found out, not followed.
      return { ...operation, parent: resolveOid(operation.parent, state) };
    case "LINK":
      return {
        ...operation,
        oid: resolveOid(operation.oid, state),
        parent: resolveOid(operation.parent, state),
      };
    case "CLOSE": {
      const content = follow(operation.contentBase, "contentVersion", operation.oid, state);
      return { ...operation, oid: content.oid, contentBase: content.version };
    }
    case "UNLINK": {
      const named = follow(operation.nameBase, "nameVersion", operation.oid, state);
      const content = follow(operation.contentBase, "contentVersion", named.oid, state);
      const place = placeOf(
        operation,
        operation.nameBase,
        named.version,
        content.oid,
        named.oid,
        state,
      );
      return { ...operation, ...place, oid: content.oid, contentBase: content.version };
    }
    case "RMDIR": {
      const named = follow(operation.nameBase, "nameVersion", operation.oid, state);
      return {
        ...operation,
        ...placeOf(operation, operation.nameBase, named.version, named.oid, named.oid, state),
        oid: named.oid,
      };
    }
    case "RENAME":
      return resolveRename(operation, state);
    case "SETATTR": {
      let oid = resolveOid(operation.oid, state);
      let { attributes, times } = operation;
      if (times !== null) {
        const content = follow(times.contentBase, "contentVersion", oid, state);
        oid = content.oid;
        times = { ...times, contentBase: content.version };
      }
      if (attributes !== null) {
        const found = follow(attributes.base, "attributesVersion", oid, state);
        oid = found.oid;
        attributes = { ...attributes, base: found.version };
      }
      return { ...operation, oid, attributes, times };
    }
    case "SETEXTATTR":
    case "DELEXTATTR": {
      const found = follow(operation.base, "attributesVersion", operation.oid, state);
      return { ...operation, oid: found.oid, base: found.version };
    }
  }
}

function resolveRename(operation: RenameOperation, state: StateReader): RenameOperation {
  const named = follow(operation.fromBase, "nameVersion", operation.oid, state);
  const content = follow(operation.contentBase, "contentVersion", named.oid, state);
  // What an atomic save moves is the content that its author wrote, also where that went to a copy.
  const oid = operation.keepsOid ? content.oid : named.oid;
  const place = { parent: operation.fromParent, name: operation.fromName };
  const from = placeOf(place, operation.fromBase, named.version, oid, named.oid, state);
  let to = { parent: resolveOid(operation.toParent, state), name: operation.toName };
  let victim = operation.victim;
  if (victim !== null) {
    const standing = resolveOid(victim.oid, state);
    const seen = follow(victim.contentBase, "contentVersion", standing, state);
    // The author's earlier content went to a copy: what it saves over now is that copy.
    if (seen.oid !== standing) to = state.links(seen.oid)[0] ?? to;
    victim = { ...victim, oid: seen.oid, contentBase: seen.version };
  }
  return {
    ...operation,
    oid,
    contentBase: content.version,
    fromParent: from.parent,
    fromName: from.name,
    fromBase: from.nameBase,
    toParent: to.parent,
    toName: to.name,
    victim,
  };
}

function follow(
  base: Base,
  aspect: "nameVersion" | "contentVersion" | "attributesVersion",
  oid: Oid,
  state: StateReader,
): { readonly version: Version; readonly oid: Oid } {
  const own = resolveOid(oid, state);
  if (typeof base === "number") return { version: base, oid: own };
  const outcome = state.outcome(base);
  if (outcome === undefined) return { version: base, oid: state.redirect?.(base) ?? own };
  if (outcome.verdict === "refused") throw new BaseRefused();
  return { version: outcome[aspect], oid: resolveOid(outcome.oid, state) };
}

/**
 * Where a name stands that an author built on an own record: that record may have been logged under
 * the name of a conflict copy, or its content may have gone to one.
 */
function placeOf(
  place: { readonly parent: Oid; readonly name: Entry["name"] },
  base: Base,
  version: Version,
  oid: Oid,
  namedOid: Oid,
  state: StateReader,
): { parent: Oid; name: Entry["name"]; nameBase: Version } {
  // As a rule it is where its author left it. One with thousands of names is not asked for all of them then.
  const isOwn = typeof base !== "number" && oid === namedOid;
  const left = isOwn ? state.entry(resolveOid(place.parent, state), place.name) : undefined;
  if (left?.oid === oid && isSameVersion(left.version, version))
    return { parent: left.parent, name: left.name, nameBase: left.version };
  const links = typeof base === "number" && oid === namedOid ? [] : state.links(oid);
  const entry =
    oid === namedOid ? links.find((link) => isSameVersion(link.version, version)) : links[0];
  if (entry !== undefined)
    return { parent: entry.parent, name: entry.name, nameBase: entry.version };
  return { parent: resolveOid(place.parent, state), name: place.name, nameBase: version };
}
