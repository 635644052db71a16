import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

import { IzoError } from "@izo/core";

/** This machine cannot mount; the hint says what to do. */
export class CannotMountError extends IzoError {
  readonly hint: string;

  constructor(found: string, hint: string) {
    super("cannot-mount", `Cannot mount on this machine: ${found}`);
    this.hint = hint;
  }
}

/** Checks that this process may mount. @throws CannotMountError */
export function requireMounts(env: Readonly<Record<string, string | undefined>>): void {
  if (process.getuid?.() !== 0) {
    throw new CannotMountError("this is not root", "run it as root: sudo ./izo demo");
  }
  if (!canRead("/dev/fuse")) {
    throw new CannotMountError("there is no /dev/fuse", "load the kernel module: modprobe fuse");
  }
  if (
    !(env["PATH"] ?? "")
      .split(delimiter)
      .some((directory) => canRead(join(directory, "fusermount3")))
  ) {
    throw new CannotMountError("fuse3 is not installed", "install it: apt-get install -y fuse3");
  }
}

function canRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
