import { closeSync, openSync, unlinkSync } from "node:fs";
import { join } from "node:path";

import { fstat, futimens } from "@izo/sys";

/**
 * The clock from which the kernel gives inodes of one directory their times. It is not the system's: it
 * stands still for milliseconds, and a file whose time was read lets it jump. Times that this process
 * sets from another clock would stand before those that the kernel has set already, or after those that
 * it sets next: what make(1) builds would be older than what it was built from.
 *
 * So a file without a name is asked to take the time of now. Costs two system calls.
 */
export class KernelClock implements Disposable {
  readonly #fd: number;

  constructor(directory: string) {
    const path = join(directory, "clock");
    this.#fd = openSync(path, "w", 0o600);
    unlinkSync(path);
  }

  /** In nanoseconds since 1970; never before any time that the kernel has given so far. */
  nowNs(): bigint {
    futimens(this.#fd, "omit", "now");
    return fstat(this.#fd).mtimeNs;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
