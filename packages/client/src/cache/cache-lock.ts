import { closeSync, constants, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

import { IzoError } from "@izo/core";
import { flock, fsetxattr } from "@izo/sys";

import { MARK_ATTRIBUTE } from "./object-mark.ts";

/** The cache is in use by another mount. */
class CacheInUseError extends IzoError {
  constructor(cacheDir: string) {
    super("cache-in-use", `Cannot use the cache "${cacheDir}": another mount uses it`, {
      cacheDir,
    });
  }
}

/** The cache's file system, or this user, cannot note on a file what it is. */
class CacheUnsupportedError extends IzoError {
  constructor(cacheDir: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      "cache-unsupported",
      `Cannot use the cache "${cacheDir}": trusted extended attributes cannot be set there (${reason}); it needs root, and a file system such as ext4, XFS or btrfs`,
      { cacheDir },
      { cause },
    );
  }
}

/**
 * Makes the cache directory where it is missing, and takes it for this process. The lock ends with the
 * process, however that ends.
 *
 * @throws CacheInUseError, CacheUnsupportedError
 */
export function lockCache(cacheDir: string): Disposable {
  // It holds what other users must not read, and what they must not change.
  mkdirSync(cacheDir, { recursive: true, mode: 0o700 });
  const fd = openSync(join(cacheDir, "lock"), constants.O_RDWR | constants.O_CREAT, 0o600);
  const unlock = { [Symbol.dispose]: () => closeSync(fd) };
  if (!flock(fd, "exclusive", { nonBlocking: true })) {
    closeSync(fd);
    throw new CacheInUseError(cacheDir);
  }
  try {
    fsetxattr(fd, MARK_ATTRIBUTE, Buffer.of(0));
  } catch (error) {
    closeSync(fd);
    throw new CacheUnsupportedError(cacheDir, error);
  }
  writeSync(fd, `${process.pid}\n`, 0);
  return unlock;
}
