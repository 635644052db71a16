import { ROOT_OID, type Oid } from "../../kml/identity.ts";
import type { StateReader } from "../../replay/state.ts";
import type { Entry, TreeObject } from "../../replay/tree-object.ts";

/** A name in a tree, and what it means. */
export interface Place {
  readonly entry: Entry;
  readonly object: TreeObject;
}

/** All names of a tree with their objects, in a stable order. */
export function placesOf(state: StateReader): Place[] {
  const places: Place[] = [];
  const visit = (directory: Oid): void => {
    const entries = [...state.children(directory)].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const object = state.object(entry.oid);
      if (object === undefined) continue;
      places.push({ entry, object });
      if (object.kind === "directory") visit(object.oid);
    }
  };
  visit(ROOT_OID);
  return places;
}

/** How a tree looks to programs, a line for each name: equal descriptions mean equal trees. */
export function describeLooks(state: StateReader): string {
  return describe(state, () => "");
}

/** {@link describeLooks}, and the versions of names, contents and attributes. */
export function describeTree(state: StateReader): string {
  return describe(state, ({ entry, object }) =>
    JSON.stringify([entry.version, object.contentVersion, object.attributesVersion]),
  );
}

function describe(state: StateReader, versionsOf: (place: Place) => string): string {
  const paths = new Map<Oid, string>();
  return placesOf(state)
    .map((place) => {
      const { entry, object } = place;
      const path = `${paths.get(entry.parent) ?? ""}/${entry.name}`;
      paths.set(object.oid, path);
      const { kind, oid, mode, uid, gid, sizeBytes, mtimeNs, sha256 } = object;
      return [
        path,
        kind,
        oid.slice(0, 8),
        mode.toString(8),
        `${uid}:${gid}`,
        sizeBytes,
        mtimeNs,
        sha256?.slice(0, 8) ?? "-",
        versionsOf(place),
      ].join(" ");
    })
    .join("\n");
}
