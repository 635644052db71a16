import { closeSync, constants, fdatasync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { EMPTY_SHA256, textToBytes, type Sha256, type TreeObject } from "@izo/core";
import { fstatat, linkat, lremovexattr, mkdirat, mknodat, openat, symlinkat } from "@izo/sys";

import { openContentSource } from "../contents/content-source.ts";
import { ContentMissingError } from "../errors.ts";
import type { Fileset } from "../fileset.ts";
import { entryPath, readXattrs } from "../tree/found-entry.ts";
import { setAttributes } from "../tree/set-attributes.ts";
import { heldFd } from "../tree/tree-directory.ts";

const fdatasyncAsync = promisify(fdatasync);

const READ = constants.O_RDONLY | constants.O_NOFOLLOW;

/**
 * Makes the inode of an object in `staging/apply`, complete and durable, with all its attributes, so
 * that putting it into the tree is one rename.
 */
export async function prepareItem(
  fileset: Fileset,
  item: string,
  object: TreeObject,
): Promise<void> {
  const { applyFd } = fileset;
  switch (object.kind) {
    case "directory":
      mkdirat(applyFd, item, 0o700);
      break;
    case "symlink":
      symlinkat(textToBytes(object.target), applyFd, item);
      break;
    case "special":
      mknodat(applyFd, item, object.mode, object.rdev);
      break;
    case "file":
      await prepareContent(fileset, item, object.sha256 ?? EMPTY_SHA256);
      break;
  }
  setAttributes(applyFd, Buffer.from(item), object);
}

async function prepareContent(fileset: Fileset, item: string, sha256: Sha256): Promise<void> {
  const { applyFd, contentsFd } = fileset;
  if (sha256 === EMPTY_SHA256) {
    closeSync(
      openat(applyFd, item, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600),
    );
    return;
  }
  const staged = fstatat(contentsFd, sha256, { noFollow: true, throwIfNoEntry: false });
  if (staged?.nlink === 1) {
    // A second name, not a move: when the batch fails, the upload is still where it was.
    linkat(contentsFd, sha256, applyFd, item);
    dropAttributes(applyFd, item);
  } else if (staged !== undefined) {
    // Another record of this batch has it: that name is in staging too, where nobody else writes.
    using source = heldFd(openat(contentsFd, sha256, READ));
    await copyContent(fileset, item, source.fd);
  } else {
    await copyFromTree(fileset, item, sha256);
  }
}

/** The content stands in the tree already, or was replaced there lately. */
async function copyFromTree(fileset: Fileset, item: string, sha256: Sha256): Promise<void> {
  const source = openContentSource(fileset, sha256);
  if (source === null) throw new ContentMissingError([sha256]);
  using _ = source;
  await copyContent(fileset, item, source.fd);
  if (!source.isIntact()) throw new ContentMissingError([sha256]);
}

/** Copies, by reflink where possible. */
async function copyContent(fileset: Fileset, item: string, sourceFd: number): Promise<void> {
  const flags = constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL;
  await copyFile(`/proc/self/fd/${sourceFd}`, join(fileset.paths.apply, item), flags);
  using copy = heldFd(openat(fileset.applyFd, item, READ));
  await fdatasyncAsync(copy.fd);
}

/** A batch that failed has given the inode the attributes of what it was to be then. */
function dropAttributes(dirFd: number, item: string): void {
  const path = entryPath(dirFd, Buffer.from(item));
  for (const name of readXattrs(path).keys()) lremovexattr(path, textToBytes(name));
}
