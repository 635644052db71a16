/**
 * Compares names of the exported tree with what was noted of them, before and after a step of an apply
 * (design S3). A difference is a local change that is in no log yet.
 */

import { constants } from "node:fs";

import { textToBytes, type Oid, type Sha256 } from "@izo/core";
import { openat, readDirectory } from "@izo/sys";

import { isSameDirectory, isUnchanged } from "../../db/disk-notes.ts";
import { isDirectoryStat } from "../tree/found-entry.ts";
import { noteIfExpected, seeInode, type SeenInode } from "../tree/seen-inode.ts";
import { heldFd } from "../tree/tree-directory.ts";
import { LocalChange } from "./local-change.ts";
import type { StepContext } from "./step-context.ts";
import { ROOT_PLACE, type Place, type Step } from "./step.ts";

/** What stands at a name; `isUnlogged` where that is not what was noted, and nobody waits for it to be logged. */
export interface ComparedInode extends SeenInode {
  readonly isUnlogged: boolean;
}

/** Compares a name with what was noted of its object. @throws LocalChange */
export function compare(oid: Oid, at: Place, context: StepContext): ComparedInode {
  const own = context.notes.get(oid);
  const noted = own === undefined ? context.fileset.ledger.notes.get(oid) : (own ?? undefined);
  const dirFd = context.directories.fd(at.parent);
  const seen = seeInode(dirFd, textToBytes(at.name));
  if (seen === undefined) throw lookAt(at, oid);
  const { stat, note, xattrs } = seen;
  const isDirectory = isDirectoryStat(stat);
  const isAsNoted =
    noted !== undefined && (isDirectory ? isSameDirectory(noted, note) : isUnchanged(noted, note));
  if (isAsNoted) return { note, xattrs, isUnlogged: false };
  if (!context.forced.has(oid) || isDirectory) throw lookAt(at, oid);
  return { note, xattrs, isUnlogged: true };
}

/**
 * Notes an inode after a step, if it was as noted before and nobody touched it since: otherwise it stays
 * without a note, and what was done is found by the next look.
 */
export function noteAfter(
  oid: Oid,
  at: Place,
  expected: ComparedInode,
  context: StepContext,
): void {
  const dirFd = context.directories.fd(at.parent);
  const note = expected.isUnlogged ? null : noteIfExpected(dirFd, textToBytes(at.name), expected);
  context.notes.set(oid, note);
}

export function loggedContent(oid: Oid, context: StepContext): Sha256 | null {
  const own = context.contents.get(oid);
  return own === undefined ? (context.fileset.committed.state.object(oid)?.sha256 ?? null) : own;
}

/** A directory that has entries on disk has entries that are not logged. */
export function checkIsEmpty(dirFd: number, name: Uint8Array, oid: Oid): void {
  if (!isEmpty(dirFd, name)) throw lookInto(oid);
}

export function isEmpty(dirFd: number, name: string | Uint8Array): boolean {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  using directory = heldFd(openat(dirFd, name, flags));
  return readDirectory(directory.fd).length === 0;
}

/** Where a change is looked for that a step has run into. */
export function placeOf(step: Step): Place {
  switch (step.kind) {
    case "place":
    case "exchange":
    case "link":
      return step.to;
    case "remove":
    case "move":
      return step.from;
    case "attributes":
      return step.at ?? ROOT_PLACE;
  }
}

export function lookAt(at: Place, oid: Oid | null): LocalChange {
  return new LocalChange({ directory: at.parent, names: new Set([at.name]), isDeep: false }, oid);
}

export function lookInto(directory: Oid): LocalChange {
  return new LocalChange({ directory, names: null, isDeep: true }, directory);
}
