/**
 * Compares the cache tree with the visible tree, and every content that is here with the hash that its
 * mark says. Reads only. In the process that serves the mount it is exact while programs work: each
 * directory is compared in one synchronous piece, and a content only counts when its mark and its stat
 * are the same before and after it was hashed.
 */

import { closeSync, constants, openSync, readdirSync } from "node:fs";
import { setImmediate as yieldToRequests } from "node:timers/promises";

import {
  bytesToText,
  EMPTY_SHA256,
  pathOf,
  resolveOid,
  ROOT_OID,
  type Entry,
  type Name,
  type Oid,
  type Recno,
  type Sha256,
  type StateReader,
  type TreeObject,
  type Version,
  kindOfMode,
} from "@izo/core";
import type { Stat } from "@izo/sys";

import { type InodeForm, shownOwner } from "../cache/inode/inode-form.ts";
import type { ObjectMark } from "../cache/inode/object-mark.ts";
import { osPath } from "../cache/tree/cache-paths.ts";
import { shortPath } from "../cache/tree/long-path.ts";
import { FileHasher } from "../sync/seal/hash-file.ts";
import type { CacheDifference, CacheDifferenceCause } from "./cache-difference.ts";

export interface CacheComparison {
  /** The cache's `tree/`. */
  readonly treePath: string;
  readonly form: InodeForm;
  /** What programs should see; taken anew for each directory. */
  readonly visible: () => StateReader;
  /** Compare names, marks and stats only, and hash nothing. */
  readonly isQuick: boolean;
  readonly signal: AbortSignal;
  readonly onEntry?: () => void;
  readonly onHashed?: (bytes: number) => void;
}

/** A difference, and where in the cache it stands. */
export interface PlacedCacheDifference extends CacheDifference {
  readonly cachePath: string;
  /** The bytes are not those that their hash names. */
  readonly isContent: boolean;
}

/** What can be compared of a file only with time. */
interface HeldFile {
  readonly path: string;
  readonly shownPath: string;
  readonly form: InodeForm;
  readonly mark: ObjectMark;
  readonly stat: Stat;
  /** The hash that its bytes must have. */
  readonly sha256: Sha256;
  readonly since: Recno | null;
}

/** All names and contents in which cache and visible tree differ, from the root down. */
export async function* compareCache(
  comparison: CacheComparison,
): AsyncGenerator<PlacedCacheDifference> {
  await using hasher = new FileHasher();
  const queue: { oid: Oid; path: string }[] = [{ oid: ROOT_OID, path: comparison.treePath }];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    comparison.signal.throwIfAborted();
    // oxlint-disable-next-line no-await-in-loop -- the mount is served between two directories
    await yieldToRequests();
    using at = shortPath(next.path);
    const compared = compareDirectory(comparison, next.oid, at.path);
    const whole = (path: string): string => `${next.path}${path.slice(at.path.length)}`;
    for (const difference of compared.differences)
      yield { ...difference, cachePath: whole(difference.cachePath) };
    for (const { oid, path } of compared.directories) queue.push({ oid, path: whole(path) });
    for (const file of compared.files) {
      if (comparison.isQuick) break;
      // oxlint-disable-next-line no-await-in-loop -- one file is hashed at a time
      const difference = await compareContent(file, hasher);
      comparison.onHashed?.(file.stat.size);
      if (difference !== null) yield { ...difference, cachePath: whole(difference.cachePath) };
    }
  }
}

interface ComparedDirectory {
  readonly differences: PlacedCacheDifference[];
  readonly directories: { oid: Oid; path: string }[];
  readonly files: HeldFile[];
}

function compareDirectory(
  { form, visible: takeVisible, onEntry }: CacheComparison,
  oid: Oid,
  path: string,
): ComparedDirectory {
  const compared: ComparedDirectory = { differences: [], directories: [], files: [] };
  const visible = takeVisible();
  // Entries of a directory that nobody has looked into are in the index alone.
  const isListed = form.readMark(path)?.holding.state === "whole";
  if (!isListed || visible.object(oid) === undefined) return compared;
  const here = new Set(namesIn(path));
  for (const entry of visible.children(oid)) {
    const child = `${path}/${entry.name}`;
    onEntry?.();
    if (here.delete(entry.name)) {
      compareEntry(form, visible, entry, child, compared);
      continue;
    }
    differ(compared, visible, entry, child, "damaged", "the cache does not have it");
  }
  for (const name of here) {
    const entry = { parent: oid, name, oid, version: 0 as Recno };
    differ(compared, visible, entry, `${path}/${name}`, "unlogged", "only the cache has it");
  }
  return compared;
}

function compareEntry(
  form: InodeForm,
  visible: StateReader,
  entry: Entry,
  path: string,
  compared: ComparedDirectory,
): void {
  const object = visible.object(entry.oid);
  const stat = form.stat(path);
  if (object === undefined || stat === undefined) return;
  const mark = form.readMark(path);
  if (mark === undefined) {
    differ(compared, visible, entry, path, "damaged", "it has no mark");
    return;
  }
  if (resolveOid(mark.oid, visible) !== entry.oid) {
    const found = `its mark says object ${mark.oid}, not ${entry.oid}`;
    differ(compared, visible, entry, path, "damaged", found);
    return;
  }
  const kind = kindOfMode(stat.mode);
  if (kind !== object.kind) {
    differ(compared, visible, entry, path, "damaged", `${kind}, not ${object.kind}`);
    return;
  }
  if (kind === "directory") compared.directories.push({ oid: entry.oid, path });
  const other = otherAttribute(form, stat, object);
  if (other !== null) differ(compared, visible, entry, path, "damaged", other);
  if (kind === "file") compareFile(visible, entry, path, { object, form, stat, mark }, compared);
}

function compareFile(
  visible: StateReader,
  entry: Entry,
  path: string,
  { object, form, stat, mark }: Pick<HeldFile, "form" | "stat" | "mark"> & { object: TreeObject },
  compared: ComparedDirectory,
): void {
  const { holding } = mark;
  const shownPath = pathOf(visible, entry.parent, entry.name);
  const since = recnoOf(object.contentVersion);
  const file = { path, shownPath, form, mark, stat, since };
  if (holding.state === "content") {
    // A replica shows the content that it has until the new one is here.
    compared.files.push({ ...file, sha256: holding.sha256 });
    return;
  }
  if (holding.state === "absent") {
    // Only an empty file is whole without its content.
    if (stat.size === object.sizeBytes || object.sha256 === EMPTY_SHA256) return;
    const found = `a placeholder of ${stat.size} bytes, not ${object.sizeBytes}`;
    differ(compared, visible, entry, path, "damaged", found);
    return;
  }
  if (stat.size !== object.sizeBytes || stat.mtimeNs !== object.mtimeNs) {
    const found = `${stat.size} bytes that no record tells of`;
    differ(compared, visible, entry, path, "unlogged", found);
    return;
  }
  // A CLOSE that waits for its hash says nothing of the bytes.
  if (object.sha256 !== null) compared.files.push({ ...file, sha256: object.sha256 });
}

async function compareContent(
  { path, shownPath, form, mark, stat, sha256, since }: HeldFile,
  hasher: FileHasher,
): Promise<PlacedCacheDifference | null> {
  const isSame = (): boolean => {
    const now = form.stat(path);
    const isUntouched = now?.ino === stat.ino && now.ctimeNs === stat.ctimeNs;
    return isUntouched && JSON.stringify(form.readMark(path)) === JSON.stringify(mark);
  };
  if (!isSame()) return null;
  const fd = openSync(osPath(path), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const found = await hasher.hash(fd, stat.size);
    if (found === sha256 || !isSame()) return null;
    return {
      path: shownPath,
      cachePath: path,
      isContent: true,
      between: "records and cache",
      cause: "damaged",
      found: `content ${found}, not ${sha256}`,
      since,
    };
  } finally {
    closeSync(fd);
  }
}

function differ(
  { differences }: ComparedDirectory,
  visible: StateReader,
  entry: Entry,
  cachePath: string,
  cause: CacheDifferenceCause,
  found: string,
): void {
  const path = pathOf(visible, entry.parent, entry.name);
  const since = recnoOf(entry.version);
  const between = "records and cache";
  differences.push({ path, cachePath, isContent: false, between, cause, found, since });
}

function otherAttribute(form: InodeForm, stat: Stat, object: TreeObject): string | null {
  const { uid, gid } = shownOwner(form, object);
  if (stat.uid !== uid) return `uid ${stat.uid}, not ${uid}`;
  if (stat.gid !== gid) return `gid ${stat.gid}, not ${gid}`;
  // The mode of a symlink is the kernel's.
  const [mode, expected] = [stat.mode & 0o7777, object.mode & 0o7777];
  const isOther = object.kind !== "symlink" && mode !== expected;
  return isOther ? `mode ${mode.toString(8)}, not ${expected.toString(8)}` : null;
}

function namesIn(path: string): Name[] {
  const names = readdirSync(osPath(path), { encoding: "buffer" });
  return names.map((bytes) => bytesToText(bytes) as Name);
}

/** A version of this client's own is no record of the server's. */
function recnoOf(version: Version): Recno | null {
  return typeof version === "number" && version > 0 ? version : null;
}
