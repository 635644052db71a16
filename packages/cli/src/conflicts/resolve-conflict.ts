/**
 * Resolves a conflict on a mount by what any program could do: write, rename, remove. These become
 * records like all others, so the decision reaches everybody, works offline, and is judged against what
 * others do meanwhile.
 *
 * The order is such that a crash at any point leaves both contents, or the one that was chosen: the copy
 * goes last. The same command again goes on from there.
 */
import { lstatSync, readFileSync, renameSync, rmdirSync, unlinkSync } from "node:fs";

import { keptPathOf, originalPathOf, type StandingConflict } from "@izo/core";
import { AT_FDCWD, renameat2 } from "@izo/sys";

import { CannotResolveError } from "./conflict-error.ts";
import { fileAt } from "./fileset-file.ts";
import { putContent, stampOf } from "./put-content.ts";

/** What is chosen; a merge brings its own content. */
export type Resolution =
  | { readonly kind: "ours" }
  | { readonly kind: "theirs" }
  | { readonly kind: "both" }
  | { readonly kind: "merge"; readonly merge: (sides: MergeSides) => Promise<Buffer> };

/** What a merge starts from, beside the ancestor. */
export interface MergeSides {
  readonly path: string;
  readonly ours: Buffer;
  readonly theirs: Buffer;
}

/** @returns the path at which the chosen content stands; null where nothing is left */
export async function resolveConflict(
  mountPoint: string,
  conflict: StandingConflict,
  resolution: Resolution,
): Promise<string | null> {
  switch (resolution.kind) {
    case "ours":
      removeCopy(mountPoint, conflict);
      return conflict.original?.path ?? null;
    case "theirs":
      return takeTheirs(mountPoint, conflict);
    case "both":
      return keepBoth(mountPoint, conflict);
    case "merge":
      return mergeBoth(mountPoint, conflict, resolution.merge);
  }
}

function takeTheirs(mountPoint: string, conflict: StandingConflict): string {
  const { copy, original } = conflict;
  if (original === null) return renameCopy(mountPoint, conflict, originalPathOf(copy.path));
  if (copy.kind === "directory" || original.kind === "directory") {
    throw new CannotResolveError(copy.path, "a directory is not replaced: move what is in it");
  }
  if (copy.kind !== "file" || original.kind !== "file") {
    renameSync(fileAt(mountPoint, copy.path), fileAt(mountPoint, original.path));
    return original.path;
  }
  const file = fileAt(mountPoint, original.path);
  const stamp = stampOf(file);
  const bytes = readFileSync(fileAt(mountPoint, copy.path));
  putContent(file, temporaryOf(mountPoint, conflict, original.path), bytes, stamp);
  removeCopy(mountPoint, conflict);
  return original.path;
}

async function mergeBoth(
  mountPoint: string,
  conflict: StandingConflict,
  merge: (sides: MergeSides) => Promise<Buffer>,
): Promise<string> {
  const { copy, original } = conflict;
  if (original?.kind !== "file" || copy.kind !== "file") {
    throw new CannotResolveError(copy.path, "only two files can be merged");
  }
  const file = fileAt(mountPoint, original.path);
  const stamp = stampOf(file);
  const ours = readFileSync(file);
  const theirs = readFileSync(fileAt(mountPoint, copy.path));
  const bytes = await merge({ path: original.path, ours, theirs });
  putContent(file, temporaryOf(mountPoint, conflict, original.path), bytes, stamp);
  removeCopy(mountPoint, conflict);
  return original.path;
}

/** The copy gets a name of its own, and is nobody's copy any more. */
function keepBoth(mountPoint: string, conflict: StandingConflict): string {
  return renameCopy(mountPoint, conflict, keptPathOf(conflict));
}

function renameCopy(mountPoint: string, { copy }: StandingConflict, to: string): string {
  const [from, into] = [fileAt(mountPoint, copy.path), fileAt(mountPoint, to)];
  try {
    renameat2(AT_FDCWD, from, AT_FDCWD, into, { noReplace: true });
  } catch (cause) {
    const isTaken = cause instanceof Error && "code" in cause && cause.code === "EEXIST";
    if (!isTaken) throw cause;
    throw new CannotResolveError(copy.path, `the name ${JSON.stringify(to)} is taken`, { cause });
  }
  return to;
}

function removeCopy(mountPoint: string, { copy }: StandingConflict): void {
  const file = fileAt(mountPoint, copy.path);
  if (!lstatSync(file).isDirectory()) {
    unlinkSync(file);
    return;
  }
  try {
    rmdirSync(file);
  } catch (cause) {
    throw new CannotResolveError(copy.path, "the directory is not empty: move what is in it", {
      cause,
    });
  }
}

/** The same for the same conflict, so that what a crash left is taken again. */
function temporaryOf(mountPoint: string, { copy }: StandingConflict, path: string): Buffer {
  const directory = path.slice(0, path.lastIndexOf("/"));
  return fileAt(mountPoint, `${directory}/.izo-resolve-${copy.oid.slice(0, 12)}`);
}
