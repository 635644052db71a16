import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

import { ROOT_OID, type Oid } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { OriginId, ReplicatedOperation } from "../kml/operation.ts";
import { directoryPath } from "../replay/path-of.ts";
import type { StateReader } from "../replay/state.ts";
import type { TreeObject } from "../replay/tree-object.ts";

/** The directory in the root under which copies stand that were put aside. */
export const ASIDE_DIRECTORY = ".izo-conflicts" as Name;

/** A directory aside, and the records that make it. */
export interface AsidePlace {
  readonly parent: Oid;
  readonly path: string;
  readonly before: readonly ReplicatedOperation[];
}

/**
 * Finds the directory aside that mirrors a directory of the tree, and makes what is missing of it: with the
 * mode and owner of what it mirrors, so that nobody sees there what was hidden here.
 *
 * @param origin of the record for which it is made: the ids of new directories are computed from it
 * @returns null where something else stands in the way
 */
export function placeAside(
  directory: Oid,
  origin: OriginId,
  state: StateReader,
): AsidePlace | null {
  const before: ReplicatedOperation[] = [];
  let parent = ROOT_OID;
  let path = "";
  for (const { name, mirrored } of mirrorOf(directory, state)) {
    path += `/${name}`;
    const standing = before.length > 0 ? undefined : state.entry(parent, name);
    if (standing === undefined) {
      const oid = asideOid(origin, path);
      before.push(mkdir(mirrored, { oid, parent, name, path }));
      parent = oid;
    } else if (state.object(standing.oid)?.kind === "directory") parent = standing.oid;
    else return null;
  }
  return { parent, path, before };
}

/** The directory aside itself, which mirrors the root, and below it one for each directory of the path. */
function mirrorOf(directory: Oid, state: StateReader): { name: Name; mirrored: TreeObject }[] {
  const steps = [{ name: ASIDE_DIRECTORY, mirrored: state.object(ROOT_OID)! }];
  let oid = ROOT_OID;
  for (const part of directoryPath(state, directory).split("/").slice(1)) {
    const name = part as Name;
    oid = state.entry(oid, name)!.oid;
    steps.push({ name, mirrored: state.object(oid)! });
  }
  return steps;
}

function mkdir(
  { mode, uid, gid, mtimeNs }: TreeObject,
  place: { oid: Oid; parent: Oid; name: Name; path: string },
): ReplicatedOperation {
  return { opcode: "MKDIR", ...place, mode, uid, gid, mtimeNs, conflict: null };
}

function asideOid({ peer, recno }: OriginId, path: string): Oid {
  const digest = sha256(utf8ToBytes(`izo aside ${peer}/${recno} ${path}`));
  return bytesToHex(digest).slice(0, 32) as Oid;
}
