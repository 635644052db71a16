/**
 * Changes the exported tree, one step at a time, so that no local change is ever overwritten (design
 * S3): before each step the disk is compared with what was noted; what a replacement or a removal takes
 * out goes to `staging/apply`, is compared once more, and is put back when it is not what was expected.
 *
 * Synchronous throughout: nothing of this process runs between a comparison and its system call.
 */

import { constants } from "node:fs";

import { ROOT_OID, textToBytes, type Name, type Oid, type Sha256 } from "@izo/core";
import {
  fchmodat,
  fchownat,
  fstatat,
  linkat,
  lremovexattr,
  lsetxattr,
  openat,
  readDirectory,
  renameat2,
  unlinkat,
  utimensat,
} from "@izo/sys";

import {
  isSameButForCtime,
  isSameContent,
  isSameInode,
  isUnchanged,
  noteOfStat,
  type DiskNote,
} from "../db/disk-notes.ts";
import type { BatchDirectories } from "./batch-directories.ts";
import type { Fileset } from "./fileset.ts";
import { entryPath, isReplicatedXattr } from "./found-entry.ts";
import { LocalChange } from "./local-change.ts";
import { permitted } from "./set-attributes.ts";
import type { AttributeOperation, Place, Step } from "./step.ts";
import { heldFd, isAbsence } from "./tree-directory.ts";

/** An inode that was taken out of the tree and lies in `staging/apply`. */
export interface Outgoing {
  readonly item: string;
  readonly oid: Oid;
  readonly place: Place;
  readonly note: DiskNote;
  /** The content that it holds, if it is as noted; null for all but files. */
  readonly sha256: Sha256 | null;
  /** It was not as noted: its content is in no log yet and has to become a copy. */
  readonly isUnlogged: boolean;
}

/** What steps work on, and what they leave to be done. */
export interface StepContext {
  readonly fileset: Fileset;
  readonly directories: BatchDirectories;
  /** Objects that are too busy to be logged first: what is taken out is kept as a copy instead. */
  readonly forced: ReadonlySet<Oid>;
  readonly outgoing: Outgoing[];
  /** Contents that the batch has put into the tree, by object. */
  readonly contents: Map<Oid, Sha256 | null>;
  /** Stats after the steps, to be noted with the records. */
  readonly notes: Map<Oid, DiskNote | null>;
  /** Told of each directory that was made: something may already be in it. */
  readonly onDirectory: (oid: Oid, fd: number) => void;
  /** Directories whose entries changed: to be synced. */
  readonly changedDirectories: Set<number>;
}

/** @throws LocalChange when the disk is not as noted; nothing is changed then */
export function executeStep(step: Step, context: StepContext): void {
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
  const note = noteOfItem(item, context);
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
  noteAfter(object.oid, to, note, context);
}

function exchange(step: Extract<Step, { kind: "exchange" }>, context: StepContext): void {
  const { to, item, object, others } = step;
  const note = noteOfItem(item, context);
  const before = replaceName(item, object.oid, to, context);
  for (const [index, other] of others.entries()) {
    exchangeLink(`${item}-${index}`, to, other, before.note, context);
  }
  context.outgoing.push({
    item,
    oid: object.oid,
    place: to,
    note: before.note,
    sha256: before.sha256,
    isUnlogged: before.isUnlogged,
  });
  context.contents.set(object.oid, object.sha256);
  noteAfter(object.oid, to, note, context);
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

interface Removal {
  readonly item: string;
  readonly oid: Oid;
  readonly at: Place;
  readonly isDirectory: boolean;
  /** What stood there when it was compared; only its ctime may have changed since, by a rename of ours. */
  readonly before: { readonly note: DiskNote; readonly isUnlogged: boolean };
}

/** Moves what stands at a name to staging, and back where it is not what was compared. */
function takeOut({ item, oid, at, isDirectory, before }: Removal, context: StepContext): void {
  const { applyFd } = context.fileset;
  const { note, isUnlogged } = before;
  const dirFd = context.directories.fd(at.parent);
  const name = textToBytes(at.name);
  if (isDirectory) checkIsEmpty(dirFd, name, oid);
  renameat2(dirFd, name, applyFd, item, { noReplace: true });
  context.changedDirectories.add(dirFd);
  const out = noteOfStat(fstatat(applyFd, item, { noFollow: true }));
  const isExpected = isDirectory ? isEmpty(applyFd, item) : isUnlogged || isSameContent(note, out);
  if (!isExpected) {
    putBack(item, at, context);
    throw isDirectory ? lookInto(oid) : lookAt(at, oid);
  }
  const sha256 = loggedContent(oid, context);
  context.outgoing.push({ item, oid, place: at, note: out, sha256, isUnlogged });
  context.notes.set(oid, null);
}

function move(step: Extract<Step, { kind: "move" }>, context: StepContext): void {
  const { oid, from, to, victim } = step;
  const fromFd = context.directories.fd(from.parent);
  const toFd = context.directories.fd(to.parent);
  const { note } = compare(oid, from, context);
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
  if (!isSameInode(note, arrived)) {
    const options = victim === null ? { noReplace: true } : { exchange: true };
    renameat2(toFd, names[1], fromFd, names[0], options);
    throw lookAt(from, oid);
  }
  if (standing !== null) {
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
  noteAfter(livingOid, to, note, context);
}

function link(step: Extract<Step, { kind: "link" }>, context: StepContext): void {
  const { oid, from, to } = step;
  const { note } = compare(oid, from, context);
  const toFd = context.directories.fd(to.parent);
  try {
    const fromFd = context.directories.fd(from.parent);
    linkat(fromFd, textToBytes(from.name), toFd, textToBytes(to.name));
  } catch (error) {
    throw isTaken(error) ? lookAt(to, null) : error;
  }
  context.changedDirectories.add(toFd);
  noteAfter(oid, to, note, context);
}

function changeAttributes(step: Extract<Step, { kind: "attributes" }>, context: StepContext): void {
  const { oid, operation } = step;
  const at: Place = step.at ?? { parent: ROOT_OID, name: "." as Name };
  const { note } = compare(oid, at, context);
  const dirFd = context.directories.fd(at.parent);
  const errors = setByOperation(dirFd, textToBytes(at.name), operation);
  for (const error of errors) {
    context.fileset.noteProblem({ path: operation.path, message: error.message });
  }
  // The inode's own metadata is durable with a sync of its directory on journalling file systems.
  context.changedDirectories.add(dirFd);
  noteAfter(oid, at, errors.length > 0 ? note : noteWith(note, operation), context);
}

/** What the inode looks like when it took what the operation says. */
function noteWith(note: DiskNote, operation: AttributeOperation): DiskNote {
  if (operation.opcode !== "SETATTR") return note;
  const { attributes, times } = operation;
  const isLink = (Number(note.mode) & constants.S_IFMT) === constants.S_IFLNK;
  const typeBits = note.mode & BigInt(constants.S_IFMT);
  return {
    ...note,
    ...(attributes && {
      mode: isLink ? note.mode : typeBits | BigInt(attributes.mode & 0o7777),
      uid: BigInt(attributes.uid),
      gid: BigInt(attributes.gid),
    }),
    ...(times && { mtimeNs: times.mtimeNs }),
  };
}

/** Sets what the operation says; what this user may not set is returned. Doing it again changes nothing. */
export function setByOperation(
  dirFd: number,
  name: Uint8Array,
  operation: AttributeOperation,
): readonly Error[] {
  const errors: Error[] = [];
  if (operation.opcode === "SETATTR") {
    const { attributes, times } = operation;
    if (attributes !== null) {
      const { uid, gid, mode } = attributes;
      permitted(errors, () => fchownat(dirFd, name, uid, gid, { noFollow: true }));
      if (!isSymlink(dirFd, name)) permitted(errors, () => fchmodat(dirFd, name, mode & 0o7777));
    }
    if (times !== null) utimensat(dirFd, name, "omit", times.mtimeNs, { noFollow: true });
    return errors;
  }
  if (!isReplicatedXattr(operation.attribute)) return errors;
  const path = entryPath(dirFd, name);
  const attribute = textToBytes(operation.attribute);
  if (operation.opcode === "SETEXTATTR") {
    permitted(errors, () => lsetxattr(path, attribute, operation.value));
  } else {
    try {
      permitted(errors, () => lremovexattr(path, attribute));
    } catch (error) {
      if ((error as { code?: unknown }).code !== "ENODATA") throw error;
    }
  }
  return errors;
}

/** Compares a name with what was noted of its object. @throws LocalChange */
function compare(
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
    noted !== undefined && (isDirectory ? isSameInode(noted, now) : isUnchanged(noted, now));
  if (isAsNoted) return { note: now, isUnlogged: false };
  if (!context.forced.has(oid) || isDirectory) throw lookAt(at, oid);
  return { note: now, isUnlogged: true };
}

/**
 * Notes an inode after a step, if nobody touched it since: otherwise it stays without a note, and what
 * was done is found by the next look.
 */
function noteAfter(oid: Oid, at: Place, expected: DiskNote, context: StepContext): void {
  const dirFd = context.directories.fd(at.parent);
  const stat = fstatat(dirFd, textToBytes(at.name), { noFollow: true, throwIfNoEntry: false });
  const note = stat && noteOfStat(stat);
  const isExpected = note !== undefined && isSameButForCtime(expected, note);
  context.notes.set(oid, isExpected ? note : null);
}

/** What an item looks like before it is put in. */
function noteOfItem(item: string, context: StepContext): DiskNote {
  return noteOfStat(fstatat(context.fileset.applyFd, item, { noFollow: true }));
}

function loggedContent(oid: Oid, context: StepContext): Sha256 | null {
  const own = context.contents.get(oid);
  return own === undefined ? (context.fileset.committed.state.object(oid)?.sha256 ?? null) : own;
}

function putBack(item: string, from: Place, context: StepContext): void {
  const dirFd = context.directories.fd(from.parent);
  renameat2(context.fileset.applyFd, item, dirFd, textToBytes(from.name), { noReplace: true });
}

/** A directory that has entries on disk has entries that are not logged. */
function checkIsEmpty(dirFd: number, name: Uint8Array, oid: Oid): void {
  if (!isEmpty(dirFd, name)) throw lookInto(oid);
}

function isEmpty(dirFd: number, name: string | Uint8Array): boolean {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  using directory = heldFd(openat(dirFd, name, flags));
  return readDirectory(directory.fd).length === 0;
}

function isSymlink(dirFd: number, name: Uint8Array): boolean {
  const { mode } = fstatat(dirFd, name, { noFollow: true });
  return (mode & constants.S_IFMT) === constants.S_IFLNK;
}

function isTaken(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "EEXIST" || code === "ENOTEMPTY" || code === "EISDIR" || code === "ENOTDIR";
}

function lookAt(at: Place, oid: Oid | null): LocalChange {
  return new LocalChange({ directory: at.parent, names: new Set([at.name]), isDeep: false }, oid);
}

function lookInto(directory: Oid): LocalChange {
  return new LocalChange({ directory, names: null, isDeep: true }, directory);
}
