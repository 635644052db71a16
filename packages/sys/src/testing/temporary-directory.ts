import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory of its own for a test, open, removed with all it holds at the end of the block. */
export interface TemporaryDirectory extends Disposable {
  readonly path: string;
  /** A descriptor of it, for `*at` calls. */
  readonly fd: number;
  join(name: string): string;
}

/** Makes one under `parent`. */
export function temporaryDirectory(parent = tmpdir()): TemporaryDirectory {
  const path = mkdtempSync(join(parent, "izo-sys-"));
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  return {
    path,
    fd,
    join: (name) => join(path, name),
    [Symbol.dispose]() {
      closeSync(fd);
      rmSync(path, { recursive: true, force: true });
    },
  };
}
