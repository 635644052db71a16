import { ROOT_OID, type Oid } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { StateReader } from "./state.ts";

/**
 * The path of a name below a directory, `/a/b`. Where the directory, or one above it, has no name
 * (removed meanwhile), the path starts with `…`: paths are information and decide nothing (design D1).
 */
export function pathOf(state: StateReader, parent: Oid, name: Name): string {
  return `${directoryPath(state, parent)}/${name}`;
}

/** The path of a directory without a trailing slash; empty for the root. */
export function directoryPath(state: StateReader, directory: Oid): string {
  let path = "";
  let oid = directory;
  for (let depth = 0; oid !== ROOT_OID; depth += 1) {
    const entry = state.links(oid)[0];
    if (entry === undefined || depth >= MAX_DEPTH) return `/…${path}`;
    path = `/${entry.name}${path}`;
    oid = entry.parent;
  }
  return path;
}

/**
 * No tree is deeper. A hostile server's may be a ring: who goes up in it must come to an end, and soon.
 */
const MAX_DEPTH = 10_000;

/** The object at a path from the root, `/a/b`; undefined where there is none. */
export function objectAt(state: StateReader, path: string): Oid | undefined {
  let oid: Oid | undefined = ROOT_OID;
  for (const name of path.split("/")) {
    if (name !== "" && oid !== undefined) oid = state.entry(oid, name as Name)?.oid;
  }
  return oid;
}

/** Path of an object by its first name, or of its last one where it was removed; `/` for the root. */
export function objectPath(state: StateReader, oid: Oid): string {
  if (oid === ROOT_OID) return "/";
  const place = state.links(oid)[0] ?? state.tombstone(oid);
  return place === undefined ? "/…" : pathOf(state, place.parent, place.name);
}

/** Path of an object as it was when it was last there, through removed directories too. */
export function lastPath(state: StateReader, oid: Oid): string {
  let path = "";
  for (let at = oid; at !== ROOT_OID;) {
    const place = state.links(at)[0] ?? state.tombstone(at);
    if (place === undefined) return `/…${path}`;
    path = `/${place.name}${path}`;
    at = place.parent;
  }
  return path === "" ? "/" : path;
}

/** Tells whether `directory` is `ancestor` or lies below it. */
export function isWithin(state: StateReader, directory: Oid, ancestor: Oid): boolean {
  let oid = directory;
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    if (oid === ancestor) return true;
    const entry = state.links(oid)[0];
    if (entry === undefined) return false;
    oid = entry.parent;
  }
  // In a ring nothing is within anything else, and nothing more may be moved into it.
  return true;
}
