import { type Entry, objectAt, type StateReader, type TreeObject } from "@izo/core";

/** What stands at a path. */
export interface PathEntry {
  readonly path: string;
  readonly object: TreeObject;
  /** Of a directory, by name in byte order; empty for all else. */
  readonly children: readonly { readonly entry: Entry; readonly object: TreeObject }[];
}

/** What stands at a path of a tree, with what is in it; null for nothing. */
export function pathEntry(state: StateReader, path: string): PathEntry | null {
  const oid = objectAt(state, path);
  const object = oid === undefined ? undefined : state.object(oid);
  if (object === undefined) return null;
  const children = Array.from(state.children(object.oid), (entry) => ({
    entry,
    object: state.object(entry.oid)!,
  }));
  return { path, object, children };
}
