import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";

/** The socket's name in the directory of the process that answers on it. */
export const CONTROL_SOCKET = "control.sock";

/** The same, of one that serves the whole protocol to its owner. */
export const API_SOCKET = "api.sock";

/**
 * Calls `use` with a path of a socket that is short, whatever its directory is called: the
 * address of a Unix socket holds 107 bytes (unix(7)), so the path leads through a descriptor of the
 * directory, which stays open until `use` is done.
 */
export async function withSocketPath<T>(
  directory: string,
  use: (path: string) => Promise<T>,
  name: string = CONTROL_SOCKET,
): Promise<T> {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return await use(join("/proc/self/fd", String(fd), name));
  } finally {
    closeSync(fd);
  }
}
