import { NO_RECNO, type Oid, type PeerId, ROOT_OID, type Sha256 } from "../../kml/identity.ts";
import type { Name } from "../../kml/name.ts";
import type { ClientOperation } from "../../kml/operation.ts";
import { type Creation, creationOf } from "../../replay/creation.ts";
import { isWithin } from "../../replay/path-of.ts";
import type { StateReader } from "../../replay/state.ts";
import type { Entry, ObjectKind, TreeObject } from "../../replay/tree-object.ts";
import { type Place, placesOf } from "../simulation/places.ts";
import type { Random } from "../simulation/random.ts";

const NAMES = ["a", "b", "c", "d"] as Name[];
const KINDS: readonly ObjectKind[] = ["file", "file", "file", "directory", "directory", "symlink"];

/** What somebody who sees this tree could do to it, one operation; null where the choice is not possible. */
export function randomChange(
  state: StateReader,
  peer: PeerId,
  random: Random,
): ClientOperation | null {
  const places = placesOf(state);
  const directories = [
    ROOT_OID,
    ...places.filter(({ object }) => object.kind === "directory").map(({ object }) => object.oid),
  ];
  const to = { parent: random.pick(directories), name: random.pick(NAMES) };
  const standing = state.entry(to.parent, to.name);
  if (places.length === 0 || random.chance(0.3)) {
    return standing === undefined ? creation(to, random) : null;
  }
  const place = random.pick(places);
  switch (random.below(8)) {
    case 0:
    case 1:
      return place.object.kind === "file" ? close(place, random) : null;
    case 2:
    case 3:
      return rename(state, place, to, standing, peer);
    case 4:
    case 5:
      return removal(state, place);
    case 6:
      if (place.object.kind === "directory" || standing !== undefined) return null;
      return { opcode: "LINK", oid: place.object.oid, ...to, path: "/", conflict: null };
    default:
      return attributes(place, random);
  }
}

function creation(to: Pick<Entry, "parent" | "name">, random: Random): Creation {
  const kind = random.pick(KINDS);
  const target = kind === "symlink" ? random.hex(4) : "";
  const mode = 0o600 + random.below(64);
  const mtimeNs = BigInt(random.below(1000));
  const owner = { uid: random.below(3), gid: 1 };
  const made = { kind, oid: random.hex(32) as Oid, path: "/", mode, mtimeNs, target, rdev: 0 };
  return creationOf({ ...made, ...to, ...owner, conflict: null });
}

function close({ object }: Place, random: Random): ClientOperation {
  return {
    opcode: "CLOSE",
    oid: object.oid,
    path: "/",
    contentBase: object.contentVersion,
    sizeBytes: random.below(100),
    mtimeNs: BigInt(random.below(1000)),
    sha256: random.hex(64) as Sha256,
    conflict: null,
  };
}

function rename(
  state: StateReader,
  { entry, object }: Place,
  to: Pick<Entry, "parent" | "name">,
  standing: Entry | undefined,
  peer: PeerId,
): ClientOperation | null {
  const victim = standing && state.object(standing.oid)!;
  if (victim?.oid === object.oid || isWithin(state, to.parent, object.oid)) return null;
  if (victim !== undefined && !mayReplace(state, object, victim)) return null;
  const isLastName = victim !== undefined && state.links(victim.oid).length === 1;
  return {
    opcode: "RENAME",
    oid: object.oid,
    contentBase: object.contentVersion,
    fromParent: entry.parent,
    fromName: entry.name,
    fromPath: "/",
    fromBase: entry.version,
    toParent: to.parent,
    toName: to.name,
    toPath: "/",
    victim: victim ? { oid: victim.oid, contentBase: victim.contentVersion, isLastName } : null,
    keepsOid:
      object.kind === "file" &&
      victim?.kind === "file" &&
      object.creator === peer &&
      isLastName &&
      state.links(object.oid).length === 1,
    conflict: null,
  };
}

function mayReplace(state: StateReader, moved: TreeObject, victim: TreeObject): boolean {
  if (victim.kind !== "directory") return moved.kind !== "directory";
  return moved.kind === "directory" && !state.hasChildren(victim.oid);
}

function removal(state: StateReader, { entry, object }: Place): ClientOperation | null {
  const { parent, name, oid, version: nameBase } = entry;
  const removed = { oid, parent, name, path: "/", nameBase };
  if (object.kind === "directory") {
    return state.hasChildren(oid) ? null : { opcode: "RMDIR", ...removed };
  }
  const isLastName = state.links(oid).length === 1;
  return { opcode: "UNLINK", ...removed, contentBase: object.contentVersion, isLastName };
}

function attributes({ object }: Place, random: Random): ClientOperation | null {
  const { oid, attributesVersion: base, contentVersion: contentBase } = object;
  const named = { oid, path: "/" };
  if (random.chance(0.3)) {
    const mode = 0o600 + random.below(64);
    return { opcode: "SETATTR", ...named, attributes: { base, mode, uid: 1, gid: 2 }, times: null };
  }
  if (random.chance(0.3)) {
    const times = { contentBase, mtimeNs: BigInt(random.below(1000)) };
    return { opcode: "SETATTR", ...named, attributes: null, times };
  }
  if (object.kind === "symlink") return null;
  const attribute = random.pick(["user.x", "user.y"]);
  const known = object.xattrs.get(attribute);
  if (known !== undefined && random.chance(0.4)) {
    return { opcode: "DELEXTATTR", ...named, attribute, base: known.version };
  }
  const value = Uint8Array.of(random.below(256));
  const xattrBase = known?.version ?? NO_RECNO;
  return { opcode: "SETEXTATTR", ...named, attribute, value, base: xattrBase };
}
