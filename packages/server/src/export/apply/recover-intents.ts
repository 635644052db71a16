/**
 * Finishes what a crash cut off, before the log is indexed and the tree is scanned (design S1), or what a
 * disk cut off that failed in the middle of a batch.
 *
 * Steps were done in order, so what was done is a prefix: the last step that shows says how long it is.
 * Its records are logged; the others never happened, and their author sends them again. What lies in
 * staging afterwards is an inode on its way in, whose content is still under its hash, or one on its
 * way out: that is kept as a copy in the tree unless the log knows its content.
 */

import { constants } from "node:fs";
import { rename } from "node:fs/promises";

import { textToBytes, type KmlLog } from "@izo/core";
import { fstatat, linkat, openat2, readDirectory, renameat2, syncfs, unlinkat } from "@izo/sys";

import { isContentKnown } from "../../db/contents.ts";
import { noteOfStat } from "../../db/disk-notes.ts";
import { hashContent } from "../contents/hash-content.ts";
import type { Fileset } from "../fileset.ts";
import { isLasting } from "../tree/not-storable.ts";
import { heldFd, isAbsence } from "../tree/tree-directory.ts";
import { setByOperation } from "./change-attributes.ts";
import { dropIntents, readIntents, type Intent, type IntentProbe } from "./intents.ts";
import type { AttributeOperation } from "./step.ts";

/** @returns where intents of another log were put aside; null where there were none */
export async function recoverIntents(fileset: Fileset, log: KmlLog): Promise<string | null> {
  const intents = await readIntents(fileset.paths.intents);
  const first = intents[0]?.record.recno;
  // A batch is appended whole, behind its steps: where the log goes on beyond its first record, it is over,
  // and only the note of that was lost with the power.
  if (first === undefined || first <= log.head.recno) return null;
  if (first > log.head.recno + 1) {
    // Log or intents came from a backup. What the batch did to the tree is found by the scan.
    const aside = `${fileset.paths.intents}.other-${fileset.nowNs() / 1_000_000n}`;
    await rename(fileset.paths.intents, aside);
    return aside;
  }
  const records = intents.slice(0, countDone(fileset, intents)).map(({ record }) => record);
  if (records.length > 0) {
    // The steps are in the tree, and perhaps not on its disk: what the log says must be there first.
    syncfs(fileset.rootFd);
    log.append(records);
    await log.sync();
  }
  // Durably: what lies in staging goes next, and with that what they say.
  await dropIntents(fileset.paths.intents);
  return null;
}

/**
 * Finishes a batch that has failed, as the next start would if the server had been killed there: what is in the
 * tree is logged under its author's name, so that it is no conflict when he sends it again.
 *
 * @throws what log and index say; intents and staging are as they were then
 */
export async function recoverBatch(fileset: Fileset): Promise<void> {
  const { ledger } = fileset;
  const intents = await fileset.intents.read();
  const [first] = intents;
  const isLogged = first === undefined || first.record.recno <= ledger.loggedRecno;
  const count = isLogged ? 0 : countDone(fileset, intents);
  if (count > 0) syncfs(fileset.rootFd);
  await ledger.recover(intents.slice(0, count).map(({ record }) => record));
  await fileset.intents.drop();
}

/** How many records of the batch took effect; finishes the last of them. */
function countDone(fileset: Fileset, intents: readonly Intent[]): number {
  const last = intents.findLastIndex(({ probe }) => probe !== null && isDone(fileset, probe));
  if (last >= 0) {
    finishMove(fileset, intents[last]!);
    finishLinks(fileset, intents[last]!);
  }
  let count = last + 1;
  while (count < intents.length && repeat(fileset, intents[count]!)) count += 1;
  return count;
}

function isDone(fileset: Fileset, probe: IntentProbe): boolean {
  switch (probe.kind) {
    case "item-gone":
      return inodeOfItem(fileset, probe.item) === undefined;
    case "item-exchanged":
      return inodeOfItem(fileset, probe.item) !== probe.ino;
    case "item-there":
      return inodeOfItem(fileset, probe.item) !== undefined;
    case "at-path":
      return probe.ino !== "" && inodeAt(fileset, probe.path) === probe.ino;
    case "repeat":
      return false;
  }
}

/** A move over something is an exchange, then the removal of what was there: the second half. */
function finishMove(fileset: Fileset, { rest }: Intent): void {
  if (rest === null || inodeAt(fileset, rest.path) !== rest.ino) return;
  using parent = heldFd(openParent(fileset, rest.path));
  renameat2(parent.fd, baseName(rest.path), fileset.applyFd, rest.item, { noReplace: true });
}

/** Names of one inode are exchanged one after another: those that still hold the old one follow. */
function finishLinks(fileset: Fileset, { links }: Intent): void {
  if (!links) return;
  const { applyFd } = fileset;
  const item = "link";
  using from = heldFd(openParent(fileset, links.from));
  for (const path of links.to) {
    if (inodeAt(fileset, path) !== links.ino) continue;
    using parent = heldFd(openParent(fileset, path));
    linkat(from.fd, baseName(links.from), applyFd, item);
    renameat2(applyFd, item, parent.fd, baseName(path), { exchange: true });
    unlinkat(applyFd, item);
  }
}

/** Does what can be done twice; false at the first step that would have to be done for the first time. */
function repeat(fileset: Fileset, { record, probe }: Intent): boolean {
  if (probe === null) return true;
  if (probe.kind !== "repeat") return false;
  try {
    using parent = heldFd(openParent(fileset, probe.path));
    setByOperation(parent.fd, baseName(probe.path), record.operation as AttributeOperation);
    return true;
  } catch (error) {
    // What the disk will never take is refused when its author sends it again.
    if (isAbsence(error) || isLasting(error)) return false;
    throw error;
  }
}

/** Empties `staging/apply` after the index is up to date. Returns how many contents were saved as copies. */
export async function clearStaging(fileset: Fileset): Promise<number> {
  using directory = heldFd(
    openat2(fileset.applyFd, ".", constants.O_RDONLY | constants.O_DIRECTORY),
  );
  let saved = 0;
  for (const { name } of readDirectory(directory.fd)) {
    const stat = fstatat(fileset.applyFd, name, { noFollow: true });
    const type = stat.mode & constants.S_IFMT;
    if (type === constants.S_IFREG && stat.size > 0) {
      const sha256 = await hashContent(fileset.applyFd, name, noteOfStat(stat));
      if (
        sha256 !== null &&
        !isContentKnown(fileset.connection, sha256) &&
        !isStaged(fileset, sha256)
      ) {
        const copy = `recovered.conflict-${String(stat.ino)}-${String(stat.mtimeNs)}`;
        renameat2(fileset.applyFd, name, fileset.rootFd, copy, { noReplace: true });
        saved += 1;
        continue;
      }
    }
    unlinkat(fileset.applyFd, name, { directory: type === constants.S_IFDIR });
  }
  return saved;
}

function isStaged(fileset: Fileset, sha256: string): boolean {
  const options = { noFollow: true, throwIfNoEntry: false } as const;
  return fstatat(fileset.contentsFd, sha256, options) !== undefined;
}

function inodeOfItem(fileset: Fileset, item: string): string | undefined {
  const stat = fstatat(fileset.applyFd, item, { noFollow: true, throwIfNoEntry: false });
  return stat && String(stat.ino);
}

function inodeAt(fileset: Fileset, path: string): string | undefined {
  try {
    using parent = heldFd(openParent(fileset, path));
    const options = { noFollow: true, throwIfNoEntry: false } as const;
    const stat = fstatat(parent.fd, baseName(path), options);
    return stat && String(stat.ino);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

const SLASH = 0x2f;

function openParent(fileset: Fileset, path: string): number {
  const bytes = Buffer.from(path, "base64");
  const parent = bytes.subarray(0, Math.max(0, bytes.lastIndexOf(SLASH)));
  const flags = constants.O_RDONLY | constants.O_DIRECTORY;
  const options = { beneath: true, noSymlinks: true };
  return openat2(fileset.rootFd, parent.length === 0 ? "." : parent, flags, options);
}

/** The last component; "." for the root's own path, which is empty. */
function baseName(path: string): Uint8Array {
  const bytes = Buffer.from(path, "base64");
  return bytes.length === 0 ? textToBytes(".") : bytes.subarray(bytes.lastIndexOf(SLASH) + 1);
}
