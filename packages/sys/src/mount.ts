import { checkResult } from "./check-result.ts";
import { native } from "./native/load.ts";
import type { Path } from "./path.ts";

/** What a mount does not honour. */
export interface MountOptions {
  /** Set-user-ID and set-group-ID bits (MS_NOSUID). */
  readonly noSuid?: boolean;
  /** Device files (MS_NODEV). */
  readonly noDev?: boolean;
  /** Changes (MS_RDONLY): EROFS for all of them. */
  readonly readOnly?: boolean;
}

// linux/mount.h
const MS_RDONLY = 1;
const MS_NOSUID = 2;
const MS_NODEV = 4;

/**
 * Mounts a file system of `type` at `target`: mount(2). `data` is what the type understands, "key=value,…".
 *
 * @throws {SysError} EPERM without CAP_SYS_ADMIN; ENODEV for a type that the kernel does not have.
 */
export function mount(
  source: string,
  target: Path,
  type: string,
  data: string,
  options: MountOptions = {},
): void {
  const flags =
    (options.noSuid === true ? MS_NOSUID : 0) |
    (options.noDev === true ? MS_NODEV : 0) |
    (options.readOnly === true ? MS_RDONLY : 0);
  checkResult(native().mount(source, target, type, flags, data), "mount", target);
}
