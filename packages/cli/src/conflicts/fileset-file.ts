import { textToBytes } from "@izo/core";

/** The name of a fileset's path below a mount point, as bytes: names need not be UTF-8. */
export function fileAt(mountPoint: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(mountPoint), textToBytes(path)]);
}
