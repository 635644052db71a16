import { objectAt, type StateReader } from "@izo/core";

import type { PathEntry } from "./export.ts";

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
