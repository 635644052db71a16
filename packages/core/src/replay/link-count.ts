import type { Oid } from "../kml/identity.ts";
import type { StateReader } from "./state.ts";

/**
 * How many names an object has, counted up to `most`: a store of packages or a backup gives one file thousands,
 * and who removes them asks each time whether it is the last.
 */
export function linkCount(state: StateReader, oid: Oid, most: number): number {
  return state.linkCount?.(oid, most) ?? Math.min(state.links(oid).length, most);
}
