/**
 * Gives a file on a mount another content in one step: a temporary file beside it, with the file's own
 * mode, owner and attributes, complete and durable before it is renamed over it. So programs see the old
 * content or the new one, the file stays the same object for everybody (an atomic save), and a crash
 * leaves the temporary file at worst, which the same call finds and takes again.
 */
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  renameSync,
  writeSync,
} from "node:fs";
import { lstatSync, type BigIntStats } from "node:fs";

import { lgetxattr, llistxattr, lsetxattr } from "@izo/sys";

import { CannotResolveError } from "./conflict-error.ts";

/** The state of a file, to find out that somebody wrote to it meanwhile. */
export function stampOf(file: Buffer): BigIntStats {
  return lstatSync(file, { bigint: true });
}

/**
 * @param stamp of the file when its content was looked at
 * @throws CannotResolveError when it was changed since; nothing has happened then
 */
export function putContent(
  file: Buffer,
  temporary: Buffer,
  bytes: Buffer,
  stamp: BigIntStats,
): void {
  const fd = openSync(temporary, "w", 0o600);
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
    fchownSync(fd, Number(stamp.uid), Number(stamp.gid));
    fchmodSync(fd, Number(stamp.mode & 0o7777n));
    for (const name of llistxattr(file)) lsetxattr(temporary, name, lgetxattr(file, name)!);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  const now = stampOf(file);
  const isSame = (["ino", "size", "mtimeNs", "ctimeNs"] as const).every(
    (key) => now[key] === stamp[key],
  );
  if (!isSame) throw new CannotResolveError(file.toString(), "it was changed meanwhile; try again");
  renameSync(temporary, file);
}
