import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";

/** The socket's name in the directory of the process that answers on it. */
export const CONTROL_SOCKET = "control.sock";

/**
 * Calls `use` with a path of the control socket that is short, whatever its directory is called: the
 * address of a Unix socket holds 107 bytes (unix(7)), so the path leads through a descriptor of the
 * directory, which stays open until `use` is done.
 */
export async function withSocketPath<T>(
  directory: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return await use(join("/proc/self/fd", String(fd), CONTROL_SOCKET));
  } finally {
    closeSync(fd);
  }
}
