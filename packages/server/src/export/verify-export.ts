/**
 * Proves that tree = index = replay: the log is replayed from its first record into memory and compared
 * with the index, and both with what stands on disk, contents hashed. Reads only; meant for an export
 * that is not being changed.
 */

import { hash } from "node:crypto";
import { resolve } from "node:path";

import {
  directoryPath,
  MemoryState,
  NO_RECNO,
  objectPath,
  openKmlReader,
  replay,
  ROOT_OID,
  textToBytes,
  type Entry,
  type Name,
  type Oid,
  type Recno,
  type ServerRecord,
  type StateReader,
  type TreeObject,
} from "@izo/core";
import { fstatat, nodeDisk, readDirectory } from "@izo/sys";

import { CommittedIndex } from "../db/committed-index.ts";
import { noteOfStat } from "../db/disk-notes.ts";
import { readFoundEntry } from "./found-entry.ts";
import { hashContent } from "./hash-content.ts";
import { openStateDirectory, STATE_DIRECTORY } from "./state-directory.ts";
import { heldFd, openRoot, openTreeDirectory } from "./tree-directory.ts";

/** Where two of log, index and tree differ. */
export interface Difference {
  readonly path: string;
  readonly between: "log and index" | "log and tree";
  readonly found: string;
}

/** All differences of an export; none is what it should give. Times of directories are local. */
export async function verifyExport(dir: string, filesetName = "rootfset"): Promise<Difference[]> {
  const paths = openStateDirectory(resolve(dir), filesetName);
  using index = new CommittedIndex(paths.index);
  using root = heldFd(openRoot(resolve(dir)));
  const log = openKmlReader(nodeDisk, paths.kml, (bytes) => hash("sha256", bytes, "buffer"));
  const replayed = new MemoryState();
  let head: Recno = NO_RECNO;
  for (const scanned of log.read(NO_RECNO)) {
    head = replay(scanned.decode() as ServerRecord, replayed, head);
  }
  const differences: Difference[] = [];
  const queue: Oid[] = [ROOT_OID];
  for (let oid = queue.shift(); oid !== undefined; oid = queue.shift()) {
    differences.push(...compareWithIndex(replayed, index.state, oid));
    differences.push(...(await compareWithTree(replayed, root.fd, oid)));
    for (const entry of replayed.children(oid)) {
      if (replayed.object(entry.oid)?.kind === "directory") queue.push(entry.oid);
    }
  }
  return differences;
}

function compareWithIndex(log: StateReader, index: StateReader, directory: Oid): Difference[] {
  const differences: Difference[] = [];
  const between = "log and index";
  const note = (path: string, found: string) => differences.push({ path, between, found });
  const names = new Map([...index.children(directory)].map((entry) => [entry.name, entry]));
  for (const entry of log.children(directory)) {
    const path = objectPath(log, entry.oid);
    const indexed = names.get(entry.name);
    names.delete(entry.name);
    if (indexed === undefined) note(path, "the index does not have it");
    else if (shown(indexed) !== shown(entry)) note(path, `${shown(indexed)}, not ${shown(entry)}`);
    const [a, b] = [shown(index.object(entry.oid)), shown(log.object(entry.oid))];
    if (a !== b) note(path, `${a}, not ${b}`);
  }
  for (const { oid } of names.values()) note(objectPath(index, oid), "only the index has it");
  return differences;
}

async function compareWithTree(log: StateReader, rootFd: number, oid: Oid): Promise<Difference[]> {
  const differences: Difference[] = [];
  const base = directoryPath(log, oid);
  const between = "log and tree";
  const note = (name: string, found: string) =>
    differences.push({ path: `${base}/${name}`, between, found });
  using directory = heldFd(openTreeDirectory(rootFd, log, oid));
  const onDisk = new Set(readDirectory(directory.fd).map(({ name }) => name.toString("latin1")));
  if (oid === ROOT_OID) onDisk.delete(STATE_DIRECTORY);
  for (const { name, oid: child } of log.children(oid)) {
    const isThere = onDisk.delete(Buffer.from(textToBytes(name)).toString("latin1"));
    if (!isThere) note(name, "the tree does not have it");
    else {
      const found = await compareEntry(directory.fd, oid, name, log.object(child)!);
      if (found !== null) note(name, found);
    }
  }
  for (const name of onDisk) note(name, "only the tree has it");
  return differences;
}

async function compareEntry(
  dirFd: number,
  parent: Oid,
  name: Name,
  object: TreeObject,
): Promise<string | null> {
  const nameBytes = textToBytes(name);
  const stat = fstatat(dirFd, nameBytes, { noFollow: true });
  const found = readFoundEntry(dirFd, parent, name, nameBytes, stat);
  const keys = ["kind", "mode", "uid", "gid", "target", "rdev", "sizeBytes"] as const;
  for (const key of keys) {
    const isIgnored = key === "mode" && object.kind === "symlink";
    if (!isIgnored && found[key] !== object[key]) return `${key} ${found[key]}, not ${object[key]}`;
  }
  if (object.kind !== "directory" && found.mtimeNs !== object.mtimeNs) {
    return `mtime ${found.mtimeNs}, not ${object.mtimeNs}`;
  }
  const xattrs = [...object.xattrs].map(
    ([key, { value }]) => `${key}=${Buffer.from(value).toString("hex")}`,
  );
  const foundXattrs = [...found.xattrs].map(
    ([key, value]) => `${key}=${Buffer.from(value).toString("hex")}`,
  );
  if (xattrs.toSorted().join() !== foundXattrs.toSorted().join())
    return "other extended attributes";
  if (object.kind !== "file") return null;
  const sha256 = await hashContent(dirFd, nameBytes, noteOfStat(stat));
  return sha256 === object.sha256 ? null : `content ${sha256}, not ${object.sha256}`;
}

/** A text that is equal for equal values. */
function shown(value: Entry | TreeObject | undefined): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === "bigint") return String(part);
    if (part instanceof Map) return [...part].map((pair) => JSON.stringify(pair)).toSorted();
    return part;
  });
}
