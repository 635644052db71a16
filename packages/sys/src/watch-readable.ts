import { checkResult } from "./check-result.ts";
import { native } from "./native/load.ts";

/**
 * Calls `onReadable` on the event loop whenever `fd` can be read, again and again while it can, and when it has failed. For
 * descriptors that Node has no class for, such as /dev/fuse; it keeps the process alive, as a socket would.
 *
 * Dispose of it before `fd` is closed.
 *
 * @throws {SysError} EPERM for what cannot be polled, such as a regular file; EEXIST for a descriptor that is watched already.
 */
export function watchReadable(fd: number, onReadable: () => void): Disposable {
  const watch = native().watch(fd, onReadable);
  if (typeof watch === "number") {
    checkResult(watch, "watch");
    throw new TypeError(`Cannot watch descriptor ${fd}: the addon answered ${watch}`);
  }
  let isEnded = false;
  return {
    [Symbol.dispose]() {
      if (isEnded) return;
      isEnded = true;
      native().endWatch(watch);
    },
  };
}
