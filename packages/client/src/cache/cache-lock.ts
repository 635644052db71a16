import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

import { IzoError } from "@izo/core";
import { fgetxattr, flock, fsetxattr, makeDirectories, SysError } from "@izo/sys";

import { DIRECT_FORM, DIRECT_MARK } from "./inode/direct-form.ts";
import type { InodeForm } from "./inode/inode-form.ts";
import { MAPPED_MARK } from "./inode/inode-meaning.ts";
import { MappedForm } from "./inode/mapped-form.ts";

/** The cache is in use by another mount. */
class CacheInUseError extends IzoError {
  constructor(cacheDir: string) {
    super("cache-in-use", `Cannot use the cache "${cacheDir}": another mount uses it`, {
      cacheDir,
    });
  }
}

/** The cache's file system cannot note on a file what it is. */
class CacheUnsupportedError extends IzoError {
  constructor(cacheDir: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      "cache-unsupported",
      `Cannot use the cache "${cacheDir}": extended attributes cannot be set there (${reason}); it needs a file system such as ext4, XFS or btrfs`,
      { cacheDir },
      { cause },
    );
  }
}

/** A cache of root shows nothing to an ordinary user, and that of a user is not what root would make of it. */
class CacheOfAnotherError extends IzoError {
  constructor(cacheDir: string, found: string) {
    super("cache-of-another", `Cannot use the cache "${cacheDir}": ${found}`, { cacheDir });
  }
}

/** A cache that is this process's. */
export interface CacheLock extends Disposable {
  /** How the inodes of the cache show their objects. */
  readonly form: InodeForm;
}

/**
 * Makes the cache directory where it is missing, and takes it for this process. The lock ends with the
 * process, however that ends.
 *
 * @throws CacheInUseError, CacheUnsupportedError, CacheOfAnotherError
 */
export function lockCache(cacheDir: string): CacheLock {
  // It holds what other users must not read, and what they must not change.
  makeDirectories(cacheDir);
  const fd = openLock(cacheDir);
  try {
    if (!flock(fd, "exclusive", { nonBlocking: true })) throw new CacheInUseError(cacheDir);
    const form = formOf(cacheDir, fd);
    writeSync(fd, `${process.pid}\n`, 0);
    return { form, [Symbol.dispose]: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function openLock(cacheDir: string): number {
  try {
    return openSync(join(cacheDir, "lock"), constants.O_RDWR | constants.O_CREAT, 0o600);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EACCES")) throw error;
    throw new CacheOfAnotherError(cacheDir, "it belongs to another user");
  }
}

/** The form that the cache has, or that this process can give to a new one. */
function formOf(cacheDir: string, fd: number): InodeForm {
  const isNew = fstatSync(fd).size === 0;
  const isMapped = isMarkedAsMapped(fd);
  if (mayMarkDirectly(cacheDir, fd)) {
    if (isMapped) throw new CacheOfAnotherError(cacheDir, "a user without root's rights made it");
    return DIRECT_FORM;
  }
  if (!isNew && !isMapped) throw new CacheOfAnotherError(cacheDir, "a mount of root made it");
  try {
    fsetxattr(fd, MAPPED_MARK, Buffer.of(0));
  } catch (error) {
    throw new CacheUnsupportedError(cacheDir, error);
  }
  const owner = { uid: process.geteuid!(), gid: process.getegid!() };
  return new MappedForm(join(cacheDir, "staging"), owner);
}

function isMarkedAsMapped(fd: number): boolean {
  try {
    return fgetxattr(fd, MAPPED_MARK) !== undefined;
  } catch (error) {
    // A file system that has attributes of root alone.
    if (error instanceof SysError && error.code === "ENOTSUP") return false;
    throw error;
  }
}

function mayMarkDirectly(cacheDir: string, fd: number): boolean {
  try {
    fsetxattr(fd, DIRECT_MARK, Buffer.of(0));
    return true;
  } catch (error) {
    if (error instanceof SysError && error.code === "EPERM") return false;
    throw new CacheUnsupportedError(cacheDir, error);
  }
}
