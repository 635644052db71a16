import { textToBytes, type Oid } from "@izo/core";
import { fstatat, renameat2 } from "@izo/sys";

import { isSameContent, noteOfStat } from "../../db/disk-notes.ts";
import { noteIfExpected } from "../tree/seen-inode.ts";
import {
  checkIsEmpty,
  isEmpty,
  loggedContent,
  lookAt,
  lookInto,
  type ComparedInode,
} from "./compare-place.ts";
import type { StepContext } from "./step-context.ts";
import type { Place } from "./step.ts";

/** An inode that is to leave the tree. */
export interface Removal {
  readonly item: string;
  readonly oid: Oid;
  readonly at: Place;
  readonly isDirectory: boolean;
  /** What stood there when it was compared; only its ctime may have changed since, by a rename of ours. */
  readonly before: ComparedInode;
}

/** Moves what stands at a name to staging, and back where it is not what was compared. */
export function takeOut(
  { item, oid, at, isDirectory, before }: Removal,
  context: StepContext,
): void {
  const { applyFd } = context.fileset;
  const { note, isUnlogged } = before;
  const dirFd = context.directories.fd(at.parent);
  const name = textToBytes(at.name);
  if (isDirectory) checkIsEmpty(dirFd, name, oid);
  renameat2(dirFd, name, applyFd, item, { noReplace: true });
  context.changedDirectories.add(dirFd);
  const stat = fstatat(applyFd, item, { noFollow: true });
  const out = noteOfStat(stat);
  const isExpected = isDirectory ? isEmpty(applyFd, item) : isUnlogged || isSameContent(note, out);
  if (!isExpected) {
    putBack(item, at, context);
    throw isDirectory ? lookInto(oid) : lookAt(at, oid);
  }
  const sha256 = loggedContent(oid, context);
  context.outgoing.push({ item, oid, place: at, note: out, sha256, isUnlogged });
  // Under its other names it is the same inode still.
  const isElsewhere = !isDirectory && !isUnlogged && stat.nlink > 1;
  context.notes.set(oid, isElsewhere ? noteIfExpected(applyFd, Buffer.from(item), before) : null);
}

function putBack(item: string, from: Place, context: StepContext): void {
  const dirFd = context.directories.fd(from.parent);
  renameat2(context.fileset.applyFd, item, dirFd, textToBytes(from.name), { noReplace: true });
}
