/**
 * Compares the exported tree with what the log says of it. Reads only; one directory at a time, each
 * from a listing of its own, so a tree that is being changed gives differences that a second look takes
 * back.
 */

import { constants } from "node:fs";

import {
  bytesToText,
  directoryPath,
  ROOT_OID,
  textToBytes,
  type IgnoreRules,
  type Name,
  type Oid,
  type TreeObject,
} from "@izo/core";
import { fstatat, readDirectory, type Stat } from "@izo/sys";

import { isUnchanged, noteOfStat, type DiskNotes } from "../db/disk-notes.ts";
import { hashContent } from "../export/contents/hash-content.ts";
import { STATE_DIRECTORY } from "../export/state-directory.ts";
import { isDirectoryStat, readFoundEntry, type FoundEntry } from "../export/tree/found-entry.ts";
import { heldFd, isAbsence, openTreeDirectory } from "../export/tree/tree-directory.ts";
import type { Difference, DifferenceCause } from "./difference.ts";
import type { ReplayedLog } from "./replayed-log.ts";

export interface TreeComparison {
  readonly log: ReplayedLog;
  readonly rootFd: number;
  /** What the export leaves out: no part of the tree. */
  readonly ignore: IgnoreRules;
  /** What the server last knew of each inode; undefined where there is no index to ask. */
  readonly notes: DiskNotes | undefined;
  /** Compare stats only, and hash nothing. */
  readonly isQuick: boolean;
  readonly signal: AbortSignal;
  /** Called for each entry that was compared. */
  readonly onEntry: (sizeBytes: number) => void;
}

/** A name, as the tree has it or the log. */
export interface TreePlace {
  readonly parent: Oid;
  readonly name: Name;
}

export interface PlacedDifference {
  readonly place: TreePlace;
  readonly difference: Difference;
}

/** All names in which log and tree differ, from the root down. */
export async function* compareTree(comparison: TreeComparison): AsyncGenerator<PlacedDifference> {
  const queue: Oid[] = [ROOT_OID];
  for (let oid = queue.shift(); oid !== undefined; oid = queue.shift()) {
    comparison.signal.throwIfAborted();
    using directory = openIfThere(comparison, oid);
    if (directory === null) continue;
    for (const name of namesIn(comparison, directory.fd, oid)) {
      const place = { parent: oid, name };
      // oxlint-disable-next-line no-await-in-loop -- one file is hashed at a time
      const difference = await comparePlace(comparison, directory.fd, place);
      if (difference !== null) yield { place, difference };
      const entry = comparison.log.state.entry(oid, name);
      const object = entry && comparison.log.state.object(entry.oid);
      if (object?.kind === "directory") queue.push(object.oid);
    }
  }
}

/** Looks at one name again. */
export async function compareAgain(
  comparison: TreeComparison,
  place: TreePlace,
): Promise<Difference | null> {
  using directory = openIfThere(comparison, place.parent);
  if (directory === null) return null;
  return comparePlace(comparison, directory.fd, place);
}

/** Null where the log does not know the directory, or it is not there: its own name tells that. */
function openIfThere({ log, rootFd }: TreeComparison, oid: Oid): ReturnType<typeof heldFd> | null {
  if (log.state.object(oid) === undefined) return null;
  try {
    return heldFd(openTreeDirectory(rootFd, log.state, oid));
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (isAbsence(error) || code === "ELOOP" || code === "EACCES") return null;
    throw error;
  }
}

function namesIn({ log }: TreeComparison, dirFd: number, oid: Oid): Set<Name> {
  const names = new Set([...log.state.children(oid)].map(({ name }) => name));
  for (const { name } of readDirectory(dirFd)) names.add(bytesToText(name) as Name);
  if (oid === ROOT_OID) names.delete(STATE_DIRECTORY as Name);
  return names;
}

async function comparePlace(
  comparison: TreeComparison,
  dirFd: number,
  { parent, name }: TreePlace,
): Promise<Difference | null> {
  const { log, onEntry, ignore } = comparison;
  const entry = log.state.entry(parent, name);
  const differing = (cause: DifferenceCause, found: string): Difference => ({
    path: `${directoryPath(log.state, parent)}/${name}`,
    between: "log and tree",
    cause,
    found,
    since: log.lastOfName(parent, name),
  });
  const stat = fstatat(dirFd, textToBytes(name), { noFollow: true, throwIfNoEntry: false });
  if (stat === undefined) {
    return entry === undefined ? null : differing("unlogged", "the tree does not have it");
  }
  const path = `${directoryPath(log.state, parent)}/${name}`;
  if (entry === undefined && ignore.ignores(path, isDirectoryStat(stat))) return null;
  onEntry(stat.size);
  if (entry === undefined) return differing("unlogged", "only the tree has it");
  const object = log.state.object(entry.oid)!;
  try {
    const found = readFoundEntry(dirFd, parent, name, textToBytes(name), stat);
    const other =
      compareAttributes(found, object) ?? (await compareContent(comparison, dirFd, found, object));
    return other && differing(causeOf(comparison, object, stat, other.isContent), other.found);
  } catch (error) {
    if (isAbsence(error)) return differing("unlogged", "it was changed while it was read");
    const { code } = error as { code?: unknown };
    if (code === "EACCES" || code === "EPERM" || code === "EIO") {
      return differing(code === "EIO" ? "damaged" : "refused", `it cannot be read (${code})`);
    }
    throw error;
  }
}

interface Other {
  readonly found: string;
  readonly isContent: boolean;
}

function compareAttributes(found: FoundEntry, object: TreeObject): Other | null {
  const keys = ["kind", "sizeBytes", "target", "rdev", "mode", "uid", "gid"] as const;
  for (const key of keys) {
    // The mode of a symlink is the kernel's.
    if (key === "mode" && object.kind === "symlink") continue;
    if (found[key] === object[key]) continue;
    const isContent = key !== "mode" && key !== "uid" && key !== "gid";
    return { found: `${key} ${found[key]}, not ${object[key]}`, isContent };
  }
  // Times of directories are local (design D4). What flows through a FIFO moves its time, and
  // Linux 6.18 tells no watch of its directory (inotify(7)): it is logged with the next change that one sees.
  const hasLoggedTime = object.kind === "file" || object.kind === "symlink";
  if (hasLoggedTime && found.mtimeNs !== object.mtimeNs) {
    return { found: `mtime ${found.mtimeNs}, not ${object.mtimeNs}`, isContent: true };
  }
  for (const name of new Set([...found.xattrs.keys(), ...object.xattrs.keys()])) {
    const [a, b] = [found.xattrs.get(name), object.xattrs.get(name)?.value];
    if (a !== undefined && b !== undefined && Buffer.compare(a, b) === 0) continue;
    return { found: `another extended attribute "${name}"`, isContent: false };
  }
  return null;
}

async function compareContent(
  { isQuick, signal }: TreeComparison,
  dirFd: number,
  { name, note }: FoundEntry,
  object: TreeObject,
): Promise<Other | null> {
  if (isQuick || object.kind !== "file") return null;
  const sha256 = await hashContent(dirFd, textToBytes(name), note, signal);
  if (sha256 === object.sha256) return null;
  if (sha256 === null) return { found: "it was changed while it was read", isContent: true };
  return { found: `content ${sha256}, not ${object.sha256}`, isContent: true };
}

/** A change that a program made shows in the stat: ctime cannot be set back. */
function causeOf(
  { notes }: TreeComparison,
  object: TreeObject,
  stat: Stat,
  isContent: boolean,
): DifferenceCause {
  const before = notes?.get(object.oid);
  if (before === undefined) return "unlogged";
  const now = noteOfStat(stat);
  const isDirectory = (stat.mode & constants.S_IFMT) === constants.S_IFDIR;
  const isAsNoted = isDirectory
    ? before.mode === now.mode && before.uid === now.uid && before.gid === now.gid
    : isUnchanged(before, now);
  if (!isAsNoted) return "unlogged";
  return isContent ? "damaged" : "refused";
}
