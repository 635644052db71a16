import { createHash } from "node:crypto";
import { closeSync, constants, openSync, readSync } from "node:fs";

import type { Sha256 } from "@izo/core";
import { seekData } from "@izo/sys";

import { osPath } from "../tree/cache-paths.ts";

export interface FoundContent {
  readonly sha256: Sha256;
  /** As a placeholder reads, also one that was copied as bytes. True for an empty file. */
  readonly isOnlyZeros: boolean;
}

const BLOCK_BYTES = 1 << 20;
const ZEROS = Buffer.alloc(BLOCK_BYTES);

/** Reads a file to its end, never following a symlink. @throws the system's error */
export function examineContent(path: string): FoundContent {
  const hash = createHash("sha256");
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let isOnlyZeros = true;
  using file = openFile(path);
  for (let length = readSync(file.fd, block); length > 0; length = readSync(file.fd, block)) {
    const bytes = block.subarray(0, length);
    hash.update(bytes);
    isOnlyZeros &&= bytes.equals(ZEROS.subarray(0, length));
  }
  return { sha256: hash.digest("hex") as Sha256, isOnlyZeros };
}

/** Tells whether nothing was ever written to a file, without reading it: placeholders can be large. */
export function isHole(path: string): boolean {
  using file = openFile(path);
  return seekData(file.fd, 0) === undefined;
}

function openFile(path: string): Disposable & { readonly fd: number } {
  const fd = openSync(
    osPath(path),
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NOATIME,
  );
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}
