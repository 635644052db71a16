/**
 * The largest thing that a call fills: a value or a list of extended attributes (XATTR_SIZE_MAX and XATTR_LIST_MAX in
 * linux/limits.h). A block of directory entries takes what it is given, a link target is at most PATH_MAX.
 */
const SCRATCH_BYTES = 65_536;

let buffer: Buffer | undefined;

/**
 * The one buffer that calls of this thread fill. Every call here is synchronous, so nobody else fills it before the caller
 * has copied out what it needs, which it must do before it returns.
 */
export function scratch(): Buffer {
  return (buffer ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES));
}
