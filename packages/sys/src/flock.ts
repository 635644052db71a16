import { checkResult, ERRNO } from "./check-result.ts";
import { native } from "./native/load.ts";

/** What to do with the lock of an open file description. */
export type FlockOperation = "shared" | "exclusive" | "unlock";

// linux/fcntl.h
const OPERATIONS = { shared: 1, exclusive: 2, unlock: 8 } as const;
const LOCK_NB = 4;

/**
 * Takes or gives back the whole-file lock of an open file description, flock(2), and says whether it could: false only with
 * `nonBlocking`, when somebody else holds a lock that excludes it. Without it, the thread blocks until the lock is free.
 *
 * The lock ends when the last descriptor of that description is closed, so also with the process. Changing shared to
 * exclusive gives the old lock up first.
 *
 * @throws {SysError}
 */
export function flock(
  fd: number,
  operation: FlockOperation,
  options: { readonly nonBlocking?: boolean } = {},
): boolean {
  const waiting = options.nonBlocking === true ? LOCK_NB : 0;
  const result = native().flock(fd, OPERATIONS[operation] | waiting);
  if (result === ERRNO.EAGAIN) {
    return false;
  }
  checkResult(result, "flock");
  return true;
}
