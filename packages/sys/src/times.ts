import { checkResult } from "./check-result.ts";
import { followFlags, type FollowOptions } from "./follow.ts";
import { native } from "./native/load.ts";
import { AT_FDCWD, type Path } from "./path.ts";

/**
 * A time to set: nanoseconds since 1970 (negative before), `"now"` for the kernel's clock, `"omit"` to leave it as it is. A
 * file system stores what it can and rounds down the rest: ext4 and XFS keep nanoseconds.
 */
export type TimeNs = bigint | "now" | "omit";

// Special values of the nanoseconds, linux/stat.h.
const UTIME_NOW = 0x3fffffff;
const UTIME_OMIT = 0x3ffffffe;

const NS_PER_SECOND = 1_000_000_000n;

/**
 * Sets the access and modification time of `path`, relative to the directory `dirfd`: utimensat(2).
 *
 * @throws {SysError}
 */
export function utimensat(
  dirfd: number,
  path: Path,
  atimeNs: TimeNs,
  mtimeNs: TimeNs,
  options: FollowOptions = {},
): void {
  const [atimeSeconds, atimeRest] = splitTime(atimeNs);
  const [mtimeSeconds, mtimeRest] = splitTime(mtimeNs);
  checkResult(
    native().utimensat(
      dirfd,
      path,
      atimeSeconds,
      atimeRest,
      mtimeSeconds,
      mtimeRest,
      followFlags(options),
    ),
    "utimensat",
    path,
  );
}

/**
 * {@link utimensat} of a path relative to the working directory.
 *
 * @example
 * utimens("/srv/a", "omit", 1_700_000_000_123_456_789n, { noFollow: true });
 */
export function utimens(
  path: Path,
  atimeNs: TimeNs,
  mtimeNs: TimeNs,
  options: FollowOptions = {},
): void {
  utimensat(AT_FDCWD, path, atimeNs, mtimeNs, options);
}

/**
 * Sets the times of an open file: futimens(3). A descriptor opened with O_PATH is refused (EBADF).
 *
 * @throws {SysError}
 */
export function futimens(fd: number, atimeNs: TimeNs, mtimeNs: TimeNs): void {
  const [atimeSeconds, atimeRest] = splitTime(atimeNs);
  const [mtimeSeconds, mtimeRest] = splitTime(mtimeNs);
  checkResult(native().futimens(fd, atimeSeconds, atimeRest, mtimeSeconds, mtimeRest), "futimens");
}

/** Seconds and nanoseconds (0 to 999,999,999, so seconds round down also before 1970), as struct timespec has them. */
function splitTime(time: TimeNs): [seconds: number, nanoseconds: number] {
  if (typeof time === "string") {
    return [0, time === "now" ? UTIME_NOW : UTIME_OMIT];
  }
  const rest = ((time % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  return [Number((time - rest) / NS_PER_SECOND), Number(rest)];
}
