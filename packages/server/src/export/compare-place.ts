/**
 * Compares names of the exported tree with what was noted of them, before and after a step of an apply
 * (design S3). A difference is a local change that is in no log yet.
 */

import { constants } from "node:fs";

import { textToBytes, type Oid, type Sha256 } from "@izo/core";
import { fstatat, openat, readDirectory } from "@izo/sys";

import {
  isSameButForCtime,
  isSameDirectory,
  isUnchanged,
  noteOfStat,
  type DiskNote,
} from "../db/disk-notes.ts";
import { LocalChange } from "./local-change.ts";
import type { StepContext } from "./step-context.ts";
import { ROOT_PLACE, type Place, type Step } from "./step.ts";
import { heldFd } from "./tree-directory.ts";

/** Compares a name with what was noted of its object. @throws LocalChange */
export function compare(
  oid: Oid,
  at: Place,
  context: StepContext,
): { readonly note: DiskNote; readonly isUnlogged: boolean } {
  const own = context.notes.get(oid);
  const noted = own === undefined ? context.fileset.ledger.notes.get(oid) : (own ?? undefined);
  const dirFd = context.directories.fd(at.parent);
  const options = { noFollow: true, throwIfNoEntry: false } as const;
  const stat = fstatat(dirFd, textToBytes(at.name), options);
  if (stat === undefined) throw lookAt(at, oid);
  const now = noteOfStat(stat);
  const isDirectory = (stat.mode & constants.S_IFMT) === constants.S_IFDIR;
  const isAsNoted =
    noted !== undefined && (isDirectory ? isSameDirectory(noted, now) : isUnchanged(noted, now));
  if (isAsNoted) return { note: now, isUnlogged: false };
  if (!context.forced.has(oid) || isDirectory) throw lookAt(at, oid);
  return { note: now, isUnlogged: true };
}

/**
 * Notes an inode after a step, if nobody touched it since: otherwise it stays without a note, and what
 * was done is found by the next look.
 */
export function noteAfter(oid: Oid, at: Place, expected: DiskNote, context: StepContext): void {
  const dirFd = context.directories.fd(at.parent);
  const stat = fstatat(dirFd, textToBytes(at.name), { noFollow: true, throwIfNoEntry: false });
  const note = stat && noteOfStat(stat);
  const isExpected = note !== undefined && isSameButForCtime(expected, note);
  context.notes.set(oid, isExpected ? note : null);
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
