import { IzoError } from "../errors.ts";

/** A path that does not name a place inside a fileset. */
export class InvalidPathError extends IzoError {
  constructor(path: string, reason: string) {
    super("invalid-path", `Cannot use the path ${JSON.stringify(path)}: ${reason}`, {
      path,
      reason,
    });
  }
}

/** An empty, `.` or `..` component anywhere but in the root's own path. */
const UNSAFE = /\/\.{0,2}(?:\/|$)/;

/**
 * Checks a path from a fileset's root, `/a/b`, and returns it. Paths in records are information only
 * (design D1); they are checked all the same, because somebody will print or join them.
 *
 * @throws InvalidPathError when it is not absolute, holds NUL, or an empty, `.` or `..` component.
 */
export function parsePath(path: string): string {
  if (path.charCodeAt(0) !== 0x2f) throw new InvalidPathError(path, 'it does not start with "/"');
  if (path.includes("\0")) throw new InvalidPathError(path, "it holds a NUL byte");
  if (path.length > 1 && UNSAFE.test(path)) {
    throw new InvalidPathError(path, 'it has an empty, "." or ".." component');
  }
  return path;
}
