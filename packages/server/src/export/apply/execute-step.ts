/**
 * Changes the exported tree, one step at a time, so that no local change is ever overwritten (design
 * S3): before each step the disk is compared with what was noted; what a replacement or a removal takes
 * out goes to `staging/apply`, is compared once more, and is put back when it is not what was expected.
 *
 * Synchronous throughout: nothing of this process runs between a comparison and its system call.
 */

import { textToBytes, type Oid, type Sha256 } from "@izo/core";
import { fstatat, linkat, renameat2, unlinkat } from "@izo/sys";

import { isSameContent, isSameInode, noteOfStat, type DiskNote } from "../../db/disk-notes.ts";
import { seeXattrs } from "../tree/seen-inode.ts";
import { isAbsence } from "../tree/tree-directory.ts";
import { changeAttributes } from "./change-attributes.ts";
import {
  checkIsEmpty,
  compare,
  loggedContent,
  lookAt,
  noteAfter,
  placeOf,
  type ComparedInode,
} from "./compare-place.ts";
import { LocalChange } from "./local-change.ts";
import type { StepContext } from "./step-context.ts";
import type { Place, Step } from "./step.ts";
import { takeOut } from "./take-out.ts";

/** @throws LocalChange when the disk is not as noted; what was done by then is found by the look */
export function executeStep(step: Step, context: StepContext): void {
  try {
    execute(step, context);
  } catch (error) {
    // Removed between the comparison and the call, or the directory that it was to go to was.
    throw isAbsence(error) ? lookAt(placeOf(step), null) : error;
  }
}

function execute(step: Step, context: StepContext): void {
  switch (step.kind) {
    case "place":
      place(step, context);
      return;
    case "exchange":
      exchange(step, context);
      return;
    case "remove":
      remove(step.item, step.oid, step.from, step.isDirectory, context);
      return;
    case "move":
      move(step, context);
      return;
    case "link":
      link(step, context);
      return;
    case "attributes":
      changeAttributes(step, context);
      return;
  }
}

function place(step: Extract<Step, { kind: "place" }>, context: StepContext): void {
  const { to, item, object } = step;
  const made = seeItem(item, context);
  const dirFd = context.directories.fd(to.parent);
  try {
    renameat2(context.fileset.applyFd, item, dirFd, textToBytes(to.name), { noReplace: true });
  } catch (error) {
    throw isTaken(error) ? lookAt(to, null) : error;
  }
  context.changedDirectories.add(dirFd);
  if (object.kind === "directory") {
    context.directories.add(object.oid, to);
    context.onDirectory(object.oid, context.directories.fd(object.oid));
  }
  context.contents.set(object.oid, object.sha256);
  noteAfter(object.oid, to, made, context);
}

function exchange(step: Extract<Step, { kind: "exchange" }>, context: StepContext): void {
  const { to, item, object, others } = step;
  const made = seeItem(item, context);
  const before = replaceName(item, object.oid, to, context);
  context.outgoing.push({
    item,
    oid: object.oid,
    place: to,
    note: before.note,
    sha256: before.sha256,
    isUnlogged: before.isUnlogged,
  });
  for (const [index, other] of others.entries()) {
    context.reach("half-step");
    exchangeLink(`${item}-${index}`, to, other, before.note, context);
  }
  context.contents.set(object.oid, object.sha256);
  noteAfter(object.oid, to, made, context);
}

/**
 * Gives a further name of a replaced inode the new one. A name that holds something else by now was
 * changed by somebody, which the watch has named too: it stays.
 */
function exchangeLink(
  item: string,
  from: Place,
  to: Place,
  old: DiskNote,
  context: StepContext,
): void {
  const { applyFd } = context.fileset;
  const dirFd = context.directories.fd(to.parent);
  const name = textToBytes(to.name);
  const stat = fstatat(dirFd, name, { noFollow: true, throwIfNoEntry: false });
  if (stat === undefined || !isSameContent(noteOfStat(stat), old)) return;
  linkat(context.directories.fd(from.parent), textToBytes(from.name), applyFd, item);
  renameat2(applyFd, item, dirFd, name, { exchange: true });
  unlinkat(applyFd, item);
  context.changedDirectories.add(dirFd);
}

interface Replaced {
  readonly note: DiskNote;
  readonly sha256: Sha256 | null;
  readonly isUnlogged: boolean;
}

/** Swaps a name's inode with the item; the old inode then lies in staging, under the item's name. */
function replaceName(item: string, oid: Oid, at: Place, context: StepContext): Replaced {
  const { applyFd } = context.fileset;
  const dirFd = context.directories.fd(at.parent);
  const name = textToBytes(at.name);
  const { note, isUnlogged } = compare(oid, at, context);
  renameat2(applyFd, item, dirFd, name, { exchange: true });
  context.changedDirectories.add(dirFd);
  const out = noteOfStat(fstatat(applyFd, item, { noFollow: true }));
  if (!isUnlogged && !isSameContent(note, out)) {
    renameat2(applyFd, item, dirFd, name, { exchange: true });
    throw lookAt(at, oid);
  }
  return { note: out, sha256: loggedContent(oid, context), isUnlogged };
}

function remove(
  item: string,
  oid: Oid,
  from: Place,
  isDirectory: boolean,
  context: StepContext,
): void {
  takeOut({ item, oid, at: from, isDirectory, before: compare(oid, from, context) }, context);
}

function move(step: Extract<Step, { kind: "move" }>, context: StepContext): void {
  const { oid, from, to, victim } = step;
  const fromFd = context.directories.fd(from.parent);
  const toFd = context.directories.fd(to.parent);
  const moved = compare(oid, from, context);
  const names = [textToBytes(from.name), textToBytes(to.name)] as const;
  const standing = victim && { ...victim, before: compare(victim.oid, to, context) };
  if (standing?.isDirectory === true) checkIsEmpty(toFd, names[1], standing.oid);
  try {
    const options = victim === null ? { noReplace: true } : { exchange: true };
    renameat2(fromFd, names[0], toFd, names[1], options);
  } catch (error) {
    throw isTaken(error) || isAbsence(error) ? lookAt(to, null) : error;
  }
  context.changedDirectories.add(fromFd).add(toFd);
  const arrived = noteOfStat(fstatat(toFd, names[1], { noFollow: true }));
  if (!isSameInode(moved.note, arrived)) {
    const options = victim === null ? { noReplace: true } : { exchange: true };
    renameat2(toFd, names[1], fromFd, names[0], options);
    throw lookAt(from, oid);
  }
  if (standing !== null) {
    context.reach("half-step");
    try {
      takeOut({ ...standing, item: step.item, at: from }, context);
    } catch (error) {
      renameat2(toFd, names[1], fromFd, names[0], { exchange: true });
      throw error instanceof LocalChange ? lookAt(to, standing.oid) : error;
    }
  }
  const livingOid = step.keepsOid && victim !== null ? victim.oid : oid;
  if (livingOid !== oid) {
    context.contents.set(livingOid, loggedContent(oid, context));
    context.notes.set(oid, null);
  }
  noteAfter(livingOid, to, moved, context);
}

function link(step: Extract<Step, { kind: "link" }>, context: StepContext): void {
  const { oid, from, to } = step;
  const linked = compare(oid, from, context);
  const toFd = context.directories.fd(to.parent);
  try {
    const fromFd = context.directories.fd(from.parent);
    linkat(fromFd, textToBytes(from.name), toFd, textToBytes(to.name));
  } catch (error) {
    throw isTaken(error) ? lookAt(to, null) : error;
  }
  context.changedDirectories.add(toFd);
  noteAfter(oid, to, linked, context);
}

/** What an item looks like before it is put in: nobody else has changed it. */
function seeItem(item: string, { fileset }: StepContext): ComparedInode {
  const note = noteOfStat(fstatat(fileset.applyFd, item, { noFollow: true }));
  return { note, xattrs: seeXattrs(fileset.applyFd, Buffer.from(item)) ?? null, isUnlogged: false };
}

function isTaken(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "EEXIST" || code === "ENOTEMPTY" || code === "EISDIR" || code === "ENOTDIR";
}
