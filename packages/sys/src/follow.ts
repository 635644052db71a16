/** Options of the calls that can act on a symlink itself. */
export interface FollowOptions {
  /** Act on the symlink and not on what it points to (AT_SYMLINK_NOFOLLOW). */
  readonly noFollow?: boolean;
}

const AT_SYMLINK_NOFOLLOW = 0x100; // linux/fcntl.h

/** The AT_ flags of {@link FollowOptions}. */
export function followFlags(options: FollowOptions): number {
  return options.noFollow === true ? AT_SYMLINK_NOFOLLOW : 0;
}
