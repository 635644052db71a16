/**
 * The tree as the judge has to see it where something is left out of the export: names that ignored
 * entries have are taken (K48), and a directory that holds some is not empty (K49). So what a client
 * makes under such a name becomes a copy beside it, and no removal takes away what nobody has logged.
 *
 * What is on disk is read where the last commit has the directory: records of the batch that is being
 * judged have not moved it yet. What changes between here and the step is found by the step.
 */
import {
  bytesToText,
  directoryPath,
  type Entry,
  type Name,
  NO_RECNO,
  type Oid,
  type StateReader,
  textToBytes,
  type TreeObject,
} from "@izo/core";
import { fstatat, readDirectory } from "@izo/sys";

import type { Fileset } from "../fileset.ts";
import { isDirectoryStat } from "../tree/found-entry.ts";
import { heldFd, isAbsence, openTreeDirectory } from "../tree/tree-directory.ts";

/** Stands for whatever an ignored name leads to. No object has it: ids are random. */
const IGNORED_OID = "f".repeat(32) as Oid;

/** @param state that of the records judged so far */
export function stateWithIgnored(fileset: Fileset, state: StateReader): StateReader {
  if (fileset.ignore.isEmpty) return state;
  const ignored = new IgnoredEntries(fileset);
  return {
    object: (oid) => (oid === IGNORED_OID ? ignored.object : state.object(oid)),
    entry: (parent, name) => state.entry(parent, name) ?? ignored.entry(parent, name),
    links: (oid) => state.links(oid),
    children: (parent) => state.children(parent),
    hasChildren: (parent) => state.hasChildren(parent) || ignored.isAnyIn(parent),
    tombstone: (oid) => state.tombstone(oid),
    alias: (oid) => state.alias(oid),
    outcome: (origin) => state.outcome(origin),
  };
}

class IgnoredEntries {
  readonly #fileset: Fileset;

  constructor(fileset: Fileset) {
    this.#fileset = fileset;
  }

  /** Nothing that a client makes is the same. */
  get object(): TreeObject {
    return {
      oid: IGNORED_OID,
      kind: "special",
      creator: this.#fileset.peer,
      mode: 0,
      uid: 0,
      gid: 0,
      attributesVersion: NO_RECNO,
      sizeBytes: 0,
      mtimeNs: 0n,
      sha256: null,
      contentVersion: NO_RECNO,
      target: "",
      rdev: 0,
      xattrs: new Map(),
      conflict: null,
    };
  }

  entry(parent: Oid, name: Name): Entry | undefined {
    const isThere = this.#in(parent, (fd, path) => this.#isIgnored(fd, path, parent, name));
    return isThere ? { parent, name, oid: IGNORED_OID, version: NO_RECNO } : undefined;
  }

  isAnyIn(parent: Oid): boolean {
    return this.#in(parent, (fd, path) =>
      readDirectory(fd).some(({ name }) =>
        this.#isIgnored(fd, path, parent, bytesToText(name) as Name),
      ),
    );
  }

  /** False for a directory that is not on disk yet, or not where the log has it. */
  #in(parent: Oid, ask: (fd: number, path: string) => boolean): boolean {
    const { rootFd, committed } = this.#fileset;
    if (committed.state.object(parent)?.kind !== "directory") return false;
    try {
      using directory = heldFd(openTreeDirectory(rootFd, committed.state, parent));
      return ask(directory.fd, directoryPath(committed.state, parent));
    } catch (error) {
      if (isAbsence(error) || (error as { code?: unknown }).code === "ELOOP") return false;
      throw error;
    }
  }

  #isIgnored(fd: number, directory: string, parent: Oid, name: Name): boolean {
    const { committed, ignore } = this.#fileset;
    const path = `${directory}/${name}`;
    // Patterns tell first: they cost no system call, and most names are meant by none.
    if (!ignore.ignores(path, true) || committed.state.entry(parent, name) !== undefined)
      return false;
    const options = { noFollow: true, throwIfNoEntry: false } as const;
    const stat = fstatat(fd, textToBytes(name), options);
    return stat !== undefined && ignore.ignores(path, isDirectoryStat(stat));
  }
}
