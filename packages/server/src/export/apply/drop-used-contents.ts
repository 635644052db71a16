import { textToBytes } from "@izo/core";
import { unlinkat } from "@izo/sys";

import { isUnchanged } from "../../db/disk-notes.ts";
import type { Fileset } from "../fileset.ts";
import { noteIfExpected, seeInode } from "../tree/seen-inode.ts";
import type { PlannedRecord } from "./judge-batch.ts";
import type { StepContext } from "./step-context.ts";

/**
 * Contents that are in the tree now lose their name in staging. It changes their ctime, so they are
 * noted again, at the place and under the object where later steps of the batch have left them: unless a
 * program has changed them since those steps, which is milliseconds ago.
 */
export function dropUsedContents(
  fileset: Fileset,
  done: readonly PlannedRecord[],
  context: StepContext,
): void {
  const { state } = fileset.ledger;
  const oids = new Map([...context.notes].map(([oid, note]) => [note?.ino, oid]));
  for (const { step } of done) {
    if (step?.kind !== "exchange" && step?.kind !== "place") continue;
    const { sha256 } = step.object;
    if (sha256 === null) continue;
    const staged = seeInode(fileset.contentsFd, textToBytes(sha256));
    if (staged === undefined || staged.stat.nlink < 2) continue;
    unlinkat(fileset.contentsFd, sha256);
    const oid = oids.get(staged.stat.ino);
    const note = oid === undefined ? undefined : context.notes.get(oid);
    const place = oid === undefined ? undefined : state.links(oid)[0];
    if (oid === undefined || !note || place === undefined) continue;
    const directoryFd = context.directories.fd(place.parent);
    const isAsNoted = isUnchanged(note, staged.note);
    const name = textToBytes(place.name);
    context.notes.set(oid, isAsNoted ? noteIfExpected(directoryFd, name, staged) : null);
  }
}
