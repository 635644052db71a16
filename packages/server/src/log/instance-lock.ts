import { closeSync, openSync } from "node:fs";

import { IzoError } from "@izo/core";
import { flock } from "@izo/sys";

/** Another process serves this fileset from the same directory. */
export class AlreadyServedError extends IzoError {
  constructor(dir: string) {
    super("already-served", `Cannot serve "${dir}": another process serves it`, { dir });
  }
}

/**
 * Takes the lock of a state directory, for as long as the process lives or until it is disposed. The
 * kernel gives it back after a crash.
 *
 * @throws AlreadyServedError
 */
export function lockInstance(path: string, dir: string): Disposable {
  const fd = openSync(path, "a", 0o600);
  if (!flock(fd, "exclusive", { nonBlocking: true })) {
    closeSync(fd);
    throw new AlreadyServedError(dir);
  }
  return { [Symbol.dispose]: () => closeSync(fd) };
}
