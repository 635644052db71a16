/**
 * Makes again what a listing tells of, at a path of this machine: on a mount, whose records these
 * operations become, or in an exported directory. A file appears whole, with its attributes, under its
 * name: it is written beside it first, and only a crash leaves that temporary file.
 */
import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs";

import {
  EMPTY_SHA256,
  isReplicatedXattr,
  IzoError,
  type ListedObject,
  textToBytes,
} from "@izo/core";
import { AT_FDCWD, fchmodat, fchownat, lsetxattr, mknod, renameat2, utimens } from "@izo/sys";

import type { RestoredItem, RestorePlace } from "./plan-restore.ts";

/** What the server keeps no more, or sends otherwise than the log says. */
export class ContentNotRestoredError extends IzoError {
  constructor(path: string) {
    super(
      "wrong-hash",
      `Cannot restore ${JSON.stringify(path)}: what came does not have the hash in the log`,
      { path },
    );
  }
}

/** Makes one item; attributes of a directory come last, by {@link finishDirectory}. */
export async function restoreItem(place: RestorePlace, item: RestoredItem): Promise<void> {
  const { object, target, standing } = item;
  if (object.kind === "directory") {
    if (standing === "nothing") mkdirSync(target, 0o700);
    return;
  }
  const temporary = besides(target);
  try {
    await make(place, item, temporary);
    setAttributes(temporary, object);
    renameat2(AT_FDCWD, temporary, AT_FDCWD, target, { noReplace: standing === "nothing" });
  } catch (error) {
    // What was replaced stays as it was; only what was made here goes.
    if (lstatSync(temporary, { throwIfNoEntry: false }) !== undefined) unlinkSync(temporary);
    throw error;
  }
}

/** One more name of what was restored under another one: they were hard links. */
export function restoreLink(first: RestoredItem, { target, standing }: RestoredItem): void {
  if (standing === "nothing") {
    linkSync(first.target, target);
    return;
  }
  const temporary = besides(target);
  linkSync(first.target, temporary);
  renameat2(AT_FDCWD, temporary, AT_FDCWD, target);
}

/** Gives a directory that was made here its attributes, when all that it holds is in it. */
export function finishDirectory({ object, target, standing }: RestoredItem): void {
  if (standing === "nothing") setAttributes(target, object);
}

async function make(
  place: RestorePlace,
  { object, path }: RestoredItem,
  temporary: Buffer,
): Promise<void> {
  switch (object.kind) {
    case "symlink":
      symlinkSync(Buffer.from(textToBytes(object.target)), temporary);
      return;
    case "special":
      mknod(temporary, object.mode, object.rdev);
      return;
    default:
      await writeFile(place, path, object, temporary);
  }
}

async function writeFile(
  { history, at, signal }: RestorePlace,
  path: string,
  { sha256, sizeBytes }: ListedObject,
  temporary: Buffer,
): Promise<void> {
  const fd = openSync(temporary, "wx", 0o600);
  try {
    if (sha256 === EMPTY_SHA256) return;
    const { bytes } = await history.content(path, at, signal);
    const hash = createHash("sha256");
    let leftBytes = sizeBytes;
    for await (const chunk of bytes) {
      leftBytes -= chunk.length;
      // Not to its end, which may never come, and the disk be full before.
      if (leftBytes < 0) throw new ContentNotRestoredError(path);
      hash.update(chunk);
      for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done);
    }
    if (hash.digest("hex") !== sha256) throw new ContentNotRestoredError(path);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The owner comes first: giving a file away takes set-user-ID off it. Times come last. */
function setAttributes(target: Buffer, object: ListedObject): void {
  const { kind, mode, uid, gid, mtimeNs, xattrs } = object;
  // Only root gives files away; for others they are their own, as with cp.
  if (process.getuid?.() === 0) fchownat(AT_FDCWD, target, uid, gid, { noFollow: true });
  if (kind !== "symlink") {
    for (const [name, value] of xattrs) {
      // What is no part of a fileset comes from no honest server.
      if (isReplicatedXattr(name)) lsetxattr(target, name, value);
    }
    fchmodat(AT_FDCWD, target, mode & 0o7777);
  }
  utimens(target, mtimeNs, mtimeNs, { noFollow: true });
}

function besides(target: Buffer): Buffer {
  const slash = target.lastIndexOf("/");
  const name = `.izo-restore-${randomBytes(6).toString("hex")}`;
  return Buffer.concat([target.subarray(0, slash + 1), Buffer.from(name)]);
}
