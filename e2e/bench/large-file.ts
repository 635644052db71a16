import { hash, randomFillSync } from "node:crypto";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

const PIECE_BYTES = 64 * 1024 * 1024;
const PIECES = 16;

/** Of the file with which large contents are measured. */
export const LARGE_BYTES = PIECE_BYTES * PIECES;

/** Of bytes that nothing makes smaller; its hash. */
export function writeLargeFile(path: string): string {
  const fd = openSync(path, "w");
  const piece = randomFillSync(Buffer.allocUnsafe(PIECE_BYTES));
  try {
    for (let index = 0; index < PIECES; index += 1) {
      piece.writeUInt32LE(index, 0);
      writeSync(fd, piece);
    }
  } finally {
    closeSync(fd);
  }
  return hash("sha256", readFileSync(path));
}
