import type { SubmittedRecord } from "@izo/core";

/**
 * Errors with which a disk says that it will take a thing at no time: a right that this server does not
 * have, a name or a value that its file system has no room for, another file system below the root.
 * All else (EIO, EROFS, EMFILE, no space) may pass, so the record waits at its author.
 */
const LASTING = new Set([
  "E2BIG",
  "EACCES",
  "EBUSY",
  "EFBIG",
  "EINVAL",
  "EMLINK",
  "ENAMETOOLONG",
  "ENOTSUP",
  "EOVERFLOW",
  "EPERM",
  "ERANGE",
  "EXDEV",
]);

/** Records that this disk can never take: each is refused, so that those behind it go on (design P3). */
export class NotStorable extends Error {
  readonly causes: ReadonlyMap<SubmittedRecord, Error>;

  constructor(causes: ReadonlyMap<SubmittedRecord, Error>) {
    super(`Cannot store ${causes.size} records: the disk refuses them for good`);
    this.causes = causes;
  }
}

/** An extended attribute for which a file has no room, on a disk that has. */
export class AttributeTooLargeError extends Error {}

/** Tells whether the same attempt would fail again, whenever it is made. */
export function isLasting(error: unknown): error is Error {
  if (error instanceof AttributeTooLargeError) return true;
  return error instanceof Error && LASTING.has((error as { code?: string }).code ?? "");
}
