import { constants, statfsSync } from "node:fs";

import { isReplicatedXattr, textToBytes } from "@izo/core";
import { fchmodat, fchownat, fstatat, lremovexattr, lsetxattr, utimensat } from "@izo/sys";

import type { DiskNote } from "../../db/disk-notes.ts";
import { entryPath } from "../tree/found-entry.ts";
import { keepWritersOut } from "../tree/keep-writers-out.ts";
import { AttributeTooLargeError } from "../tree/not-storable.ts";
import { type SeenInode, seeXattrs, type SeenXattrs } from "../tree/seen-inode.ts";
import { permitted } from "../tree/set-attributes.ts";
import { compare, noteAfter } from "./compare-place.ts";
import type { StepContext } from "./step-context.ts";
import { ROOT_PLACE, type AttributeOperation, type Step } from "./step.ts";

/** Gives an inode the attributes of a record. @throws LocalChange */
export function changeAttributes(
  step: Extract<Step, { kind: "attributes" }>,
  context: StepContext,
): void {
  const { oid, operation } = step;
  const at = step.at ?? ROOT_PLACE;
  const dirFd = context.directories.fd(at.parent);
  const name = textToBytes(at.name);
  const compared = compare(oid, at, context);
  // Of a write before the time is set no time would tell afterwards.
  using writers = setsTimeOfFile(operation, compared) ? keepWritersOut(dirFd, name) : undefined;
  const before = writers === undefined ? compared : compare(oid, at, context);
  context.reach("half-step");
  const errors = setByOperation(dirFd, name, operation);
  for (const error of errors) {
    context.fileset.noteProblem({ path: operation.path, message: error.message });
  }
  // The inode's own metadata is durable with a sync of its directory on journalling file systems.
  context.changedDirectories.add(dirFd);
  const { note } = before;
  const expected = {
    ...before,
    isUnlogged: before.isUnlogged || writers?.areOut === false,
    note: errors.length > 0 ? note : noteWith(note, operation),
    xattrs: xattrsWith(before.xattrs, operation, seeXattrs(dirFd, name)),
  };
  noteAfter(oid, at, expected, context);
}

function setsTimeOfFile(operation: AttributeOperation, { note }: SeenInode): boolean {
  const type = Number(note.mode) & constants.S_IFMT;
  return operation.opcode === "SETATTR" && operation.times !== null && type === constants.S_IFREG;
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

/** Those that the kernel changes by itself with a mode or an owner: acl(5), capabilities(7). */
const GOES_WITH_MODE = ["system.posix_acl_access", "security.capability"];

/** Its extended attributes then. @param now what stands there */
function xattrsWith(
  before: SeenXattrs,
  operation: AttributeOperation,
  now: SeenXattrs | undefined,
): SeenXattrs {
  if (before === null) return null;
  const after = new Map(before);
  const put = (name: string, value: Uint8Array | undefined): unknown =>
    value === undefined ? after.delete(name) : after.set(name, value);
  if (operation.opcode === "SETATTR") {
    if (operation.attributes === null) return before;
    for (const name of GOES_WITH_MODE) put(name, now?.get(name));
  } else if (isReplicatedXattr(operation.attribute)) {
    put(operation.attribute, operation.opcode === "SETEXTATTR" ? operation.value : undefined);
  }
  return after;
}

/**
 * Sets what the operation says; an owner or a mode that this user may not set is returned. Doing it
 * again changes nothing.
 */
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
  if (isReplicatedXattr(operation.attribute)) setXattr(dirFd, name, operation);
  return errors;
}

function setXattr(
  dirFd: number,
  name: Uint8Array,
  operation: Exclude<AttributeOperation, { opcode: "SETATTR" }>,
): void {
  const path = entryPath(dirFd, name);
  const attribute = textToBytes(operation.attribute);
  try {
    if (operation.opcode === "SETEXTATTR") lsetxattr(path, attribute, operation.value);
    else lremovexattr(path, attribute);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "ENODATA" && operation.opcode === "DELEXTATTR") return;
    // ext4 has one block for all attributes of a file, and says ENOSPC when that is full (xattr(7)).
    const isFull = code === "ENOSPC" && statfsSync(`/proc/self/fd/${dirFd}`).bavail > 0;
    if (!isFull) throw error;
    throw new AttributeTooLargeError((error as Error).message, { cause: error });
  }
}

function isSymlink(dirFd: number, name: Uint8Array): boolean {
  const { mode } = fstatat(dirFd, name, { noFollow: true });
  return (mode & constants.S_IFMT) === constants.S_IFLNK;
}
