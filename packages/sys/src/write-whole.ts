import { writeSync } from "node:fs";

/** Writes all bytes at the start of a file. @throws the system's error, after writing some of them */
export function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at, at);
}
