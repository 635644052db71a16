/**
 * Errors to errno, and nowhere else. Worst outcome of a wrong line here: a program is told EIO for
 * something it could have handled.
 */
import { constants } from "node:os";

import { IzoError } from "@izo/core";

const errnos: Readonly<Record<string, number>> = constants.errno;

/** Errors of `@izo/core` that a program can cause by what it asks of the mount. */
const errnoOfCode: Readonly<Record<string, number>> = {
  "invalid-name": constants.errno.EINVAL,
  // The server, and not the cache, keeps it from who asks.
  "token-required": constants.errno.EACCES,
  "token-invalid": constants.errno.EACCES,
  "token-expired": constants.errno.EACCES,
  "unusable-token": constants.errno.EACCES,
  "out-of-scope": constants.errno.EACCES,
  "untrusted-server": constants.errno.EACCES,
};

/** The kernel takes no answer with a greater one (`fuse_dev_do_write`); libuv's own are above it. */
const MOST_ERRNO = 511;

export type ErrnoName = keyof typeof constants.errno;

/** An operation that fails with a stated errno; what a `FileSystem` throws when the kernel must know why. */
export class ErrnoError extends IzoError {
  constructor(errno: ErrnoName, message: string, data?: Record<string, unknown>, cause?: unknown) {
    super(errno, message, data, cause === undefined ? undefined : { cause });
  }
}

/** The negative errno that answers a request which failed with `error`; -EIO when it has none. */
export function toErrno(error: unknown): number {
  return -(errnoOf(error) ?? constants.errno.EIO);
}

/** Whether `error` carries an errno of its own, and so was meant for the caller and not for the log. */
export function isErrno(error: unknown): boolean {
  return errnoOf(error) !== undefined;
}

/** Node's and `@izo/sys`'s errors carry the number; `ErrnoError` only the name. */
function errnoOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("errno" in error && isAnswerable(error.errno)) return -error.errno;
  if (!("code" in error) || typeof error.code !== "string") return undefined;
  return errnos[error.code] ?? errnoOfCode[error.code];
}

function isAnswerable(errno: unknown): errno is number {
  return typeof errno === "number" && errno < 0 && errno >= -MOST_ERRNO;
}
