/**
 * Puts right what can be put right in an export that nobody serves, from what `inspectExport` finds.
 * Nothing is deleted: what is replaced is moved below `rescue/` in the state directory first. `izo verify
 * --repair` calls it.
 *
 * The right content is made ready, and then changes places with the wrong one, so that no name is ever
 * free: a start after a crash in between would log that as a removal. The worst that a crash does is to leave
 * the wrong content in staging, where the next start keeps it as a copy in the tree.
 */

import { fsyncSync, mkdirSync, mkdtempSync, renameSync } from "node:fs";
import { basename, join, resolve } from "node:path";

import { isSha256, ROOT_OID, textToBytes, type Entry, type Name, type TreeObject } from "@izo/core";
import { fstatat, renameat2, unlinkat } from "@izo/sys";

import { forgetRetained, objectsWithContent } from "../db/contents.ts";
import { noteOfStat } from "../db/disk-notes.ts";
import { prepareItem } from "../export/apply/prepare-item.ts";
import { hashContent } from "../export/contents/hash-content.ts";
import type { Fileset } from "../export/fileset.ts";
import { openFileset } from "../export/open-fileset.ts";
import { reindexExport } from "../export/reindex-export.ts";
import { heldFd, openTreeDirectory } from "../export/tree/tree-directory.ts";
import { AlreadyServedError } from "../log/instance-lock.ts";
import type { Difference } from "./difference.ts";
import { inspectExport } from "./inspect-export.ts";

/**
 * What is done about a difference:
 *
 * - `reindex`: the index is made anew; the old one is kept;
 * - `restore`: the content that the log names is here under another name, and takes the place of the one
 *   that is damaged, which is put aside;
 * - `log`: nobody here has the right content: the next start logs what there is as an edit;
 * - `put-aside`: an old content that is none any more.
 */
export type RepairAction = "reindex" | "restore" | "log" | "put-aside";

export interface ExportRepair {
  readonly path: string;
  readonly action: RepairAction;
  readonly found: string;
}

export interface RepairOptions {
  readonly dir: string;
  readonly filesetName?: string;
  /** Say what would be done, and do nothing. */
  readonly isDryRun: boolean;
  readonly signal?: AbortSignal;
}

/** @throws ExportError, AlreadyServedError, KmlVersionError */
export async function repairExport(options: RepairOptions): Promise<ExportRepair[]> {
  const { filesetName = "rootfset", isDryRun } = options;
  const dir = resolve(options.dir);
  const { differences, isServed } = await inspectExport({ ...options, dir, filesetName });
  if (isServed) throw new AlreadyServedError(dir);
  // The log is never repaired: what follows a bad record cannot be trusted.
  if (differences.some(({ between }) => between === "log")) return [];
  const repairs: ExportRepair[] = [];
  const indexDifference = differences.find(({ between }) => between === "log and index");
  if (indexDifference !== undefined) {
    const found = indexDifference.found;
    repairs.push({ path: "index.sqlite", action: "reindex", found });
    if (!isDryRun) await reindexExport({ dir, filesetName });
  }
  const damaged = differences.filter(
    ({ between, cause }) =>
      cause === "damaged" && (between === "log and tree" || between === "old contents"),
  );
  if (damaged.length === 0) return repairs;
  await using opened = await openFileset({
    dir,
    filesetName,
    nowNs: () => BigInt(Date.now()) * 1_000_000n,
    noteProblem: () => {},
    clearProblem: () => {},
  });
  for (const difference of damaged) {
    // oxlint-disable-next-line no-await-in-loop -- one file is repaired at a time
    repairs.push(await repairOne(opened.fileset, difference, isDryRun));
  }
  return repairs;
}

async function repairOne(
  fileset: Fileset,
  { path, between, found }: Difference,
  isDryRun: boolean,
): Promise<ExportRepair> {
  if (between === "old contents") {
    if (!isDryRun) putContentAside(fileset, path);
    return { path, action: "put-aside", found };
  }
  const standing = standingAt(fileset, path);
  const canRestore = standing !== undefined && hasOtherSource(fileset, standing.object);
  if (isDryRun) return { path, action: canRestore ? "restore" : "log", found };
  if (canRestore && (await restore(fileset, standing.entry, standing.object))) {
    return { path, action: "restore", found };
  }
  // Without a note the next look hashes it, and logs what it finds.
  if (standing !== undefined) fileset.ledger.notes.drop(standing.object.oid);
  return { path, action: "log", found };
}

function standingAt(
  { ledger: { state } }: Fileset,
  path: string,
): { entry: Entry; object: TreeObject } | undefined {
  let entry: Entry | undefined;
  for (const name of path.split("/").slice(1)) {
    entry = state.entry(entry?.oid ?? ROOT_OID, name as Name);
    if (entry === undefined) return undefined;
  }
  const object = entry && state.object(entry.oid);
  return entry && object && { entry, object };
}

/** An inode with several names would have to be exchanged under all of them: it is logged instead. */
function hasOtherSource(fileset: Fileset, { oid, sha256 }: TreeObject): boolean {
  if (sha256 === null || fileset.ledger.state.links(oid).length > 1) return false;
  if (objectsWithContent(fileset.connection, sha256).some((other) => other !== oid)) return true;
  const options = { noFollow: true, throwIfNoEntry: false } as const;
  return [fileset.objectsFd, fileset.contentsFd].some(
    (directory) => fstatat(directory, sha256, options) !== undefined,
  );
}

/** @returns false when no right content was found after all; nothing has changed then */
async function restore(fileset: Fileset, entry: Entry, object: TreeObject): Promise<boolean> {
  const { applyFd, rootFd, ledger } = fileset;
  const item = "repair";
  const name = textToBytes(entry.name);
  using directory = heldFd(openTreeDirectory(rootFd, ledger.state, entry.parent));
  // What is damaged must not be taken for its own source.
  const before = ledger.notes.get(object.oid);
  ledger.notes.drop(object.oid);
  try {
    await prepareItem(fileset, item, object);
    const note = noteOfStat(fstatat(applyFd, item, { noFollow: true }));
    if ((await hashContent(applyFd, item, note)) !== object.sha256) throw new Error("wrong source");
  } catch {
    const left = fstatat(applyFd, item, { noFollow: true, throwIfNoEntry: false });
    if (left !== undefined) unlinkat(applyFd, item);
    if (before !== undefined) ledger.notes.put(object.oid, before);
    return false;
  }
  // Exchanged, so that the name is never free; then what was there goes aside.
  renameat2(applyFd, item, directory.fd, name, { exchange: true });
  renameSync(join(fileset.paths.apply, item), join(rescueDirectory(fileset), entry.name));
  fsyncSync(directory.fd);
  ledger.notes.put(object.oid, noteOfStat(fstatat(directory.fd, name, { noFollow: true })));
  return true;
}

function putContentAside(fileset: Fileset, path: string): void {
  const name = basename(path);
  renameSync(join(fileset.paths.objects, name), join(rescueDirectory(fileset), name));
  if (isSha256(name)) forgetRetained(fileset.connection, [name]);
}

/** A directory for each: names that are equal must not meet. */
function rescueDirectory({ paths }: Fileset): string {
  const rescue = join(paths.path, "rescue");
  mkdirSync(rescue, { recursive: true, mode: 0o700 });
  return mkdtempSync(join(rescue, "found-"));
}
