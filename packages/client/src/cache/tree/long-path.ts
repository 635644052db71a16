/**
 * Paths in the cache that are longer than the kernel takes in one call. A program reaches what is so far down
 * in steps, from a working directory or a descriptor; and a cache mostly has a longer path than the mount has.
 */
import { closeSync, constants, openSync } from "node:fs";

import { NAME_MAX_BYTES, textToBytes } from "@izo/core";
import { O_PATH } from "@izo/sys";

import { osPath } from "./cache-paths.ts";

/** `PATH_MAX` of linux/limits.h, with its NUL. */
const PATH_MAX_BYTES = 4096;

/** What a path may take so that one more name can follow. */
const MOST_BYTES = PATH_MAX_BYTES - 1 - (1 + NAME_MAX_BYTES);

/** Of a character of a path, as `textToBytes` writes it. */
const MOST_BYTES_OF_CHARACTER = 3;

/** Whether a path has no room for one more name. */
export function isLongPath(path: string): boolean {
  if (path.length * MOST_BYTES_OF_CHARACTER <= MOST_BYTES) return false;
  return textToBytes(path).length > MOST_BYTES;
}

/** A descriptor that only names a directory: `/proc/self/fd/<it>/<name>` is where an entry of it is. */
export function openAnchor(path: string): number {
  const { O_DIRECTORY, O_NOFOLLOW } = constants;
  return openSync(osPath(path), O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

/** A path that the kernel takes in one call, by way of a directory that is open until this is disposed of. */
export function shortPath(path: string): Disposable & { readonly path: string } {
  let short = "";
  let anchor: number | undefined;
  const close = (): void => {
    if (anchor !== undefined) closeSync(anchor);
  };
  if (!isLongPath(path)) return { path, [Symbol.dispose]: close };
  try {
    for (const name of path.split("/").slice(1)) {
      if (isLongPath(`${short}/${name}`)) {
        const next = openAnchor(short);
        close();
        anchor = next;
        short = `/proc/self/fd/${next}`;
      }
      short = `${short}/${name}`;
    }
  } catch (error) {
    close();
    throw error;
  }
  return { path: short, [Symbol.dispose]: close };
}
