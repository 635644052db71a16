import { randomBytes } from "node:crypto";

import { mkdirat, unlinkat } from "./names.ts";
import { renameat2 } from "./rename.ts";
import { SysError } from "./sys-error.ts";

/**
 * Whether the file system of directory `dirfd` can swap two names (`renameat2` with `exchange`). Tried out with two empty
 * directories inside, named `.izo-exchange-…`, because file systems do not announce it. A crash here leaves at most those
 * two behind.
 *
 * @throws {SysError} when the directory cannot be written to.
 */
export function supportsExchange(dirfd: number): boolean {
  const stem = `.izo-exchange-${randomBytes(8).toString("hex")}`;
  const names = [`${stem}-a`, `${stem}-b`] as const;
  const made: string[] = [];
  try {
    for (const name of names) {
      mkdirat(dirfd, name, 0o700);
      made.push(name);
    }
    renameat2(dirfd, names[0], dirfd, names[1], { exchange: true });
    return true;
  } catch (error) {
    if (error instanceof SysError && error.syscall === "renameat2" && error.code === "EINVAL") {
      return false;
    }
    throw error;
  } finally {
    for (const name of made) {
      unlinkat(dirfd, name, { directory: true });
    }
  }
}
