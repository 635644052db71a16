import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a directory, for its user alone, and those above it that are missing.
 *
 * Not with `recursive` of Node: where a file system answers ENOENT to whoever makes something in a directory that is
 * there, as /proc does, Node tries again for ever and hears no signal.
 *
 * @throws the system's error, with what could not be made
 */
export function makeDirectories(path: string): void {
  const parent = dirname(path);
  if (!existsSync(parent)) makeDirectories(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!isDirectory(path)) throw error;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
