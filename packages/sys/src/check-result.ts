import type { CallResult } from "./native/addon.ts";
import type { Path } from "./path.ts";
import { SysError } from "./sys-error.ts";

/** Linux errno numbers for which a call answers with a value and not with an error (asm-generic/errno-base.h, errno.h). */
export const ERRNO = { ENOENT: -2, ENXIO: -6, EAGAIN: -11, ENOTDIR: -20, ENODATA: -61 } as const;

/**
 * The result of a call, or its error thrown.
 *
 * @throws {SysError} when the result is a negative errno.
 */
export function checkResult(result: CallResult, syscall: string, path?: Path, dest?: Path): number {
  if (result < 0) {
    throw new SysError(result, syscall, path, dest);
  }
  return result;
}
