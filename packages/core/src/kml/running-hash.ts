import { sha256 } from "@noble/hashes/sha2.js";

import { bytesToHex, writeHex } from "./hex.ts";
import type { FilesetId, Sha256 } from "./identity.ts";
import { NO_RECNO } from "./identity.ts";
import type { Position } from "./position.ts";

/** SHA-256 of bytes. Programs on Node pass `(bytes) => hash("sha256", bytes, "buffer")`, which is faster. */
export type HashFunction = (bytes: Uint8Array) => Uint8Array;

/** SHA-256 in plain JavaScript, wherever there is nothing better. */
export const portableHash: HashFunction = sha256;

const SEED = new TextEncoder().encode("izo kml running hash 1\n");

/** The position before the first record: SHA-256 of a constant and the fileset's id. */
export function startPosition(fileset: FilesetId, hash: HashFunction = portableHash): Position {
  const input = new Uint8Array(SEED.length + 16);
  input.set(SEED);
  writeHex(input, SEED.length, fileset, 16);
  return { recno: NO_RECNO, hash: bytesToHex(hash(input)) as Sha256 };
}

/**
 * The running hash of a log, extended record by record: `hash(n) = sha256(hash(n-1) || record n)`,
 * over the bytes as they stand in the log. Two logs with the same hash at a recno are the same so far.
 */
export class RunningHash {
  readonly #hash: HashFunction;
  #input = new Uint8Array(512);

  /** Starts from the hash before the next record. */
  constructor(start: Sha256, hash: HashFunction = portableHash) {
    this.#hash = hash;
    writeHex(this.#input, 0, start, 32);
  }

  /** Takes in the bytes of the next record. */
  extend(record: Uint8Array): void {
    const length = 32 + record.length;
    if (length > this.#input.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(this.#input.subarray(0, 32));
      this.#input = larger;
    }
    this.#input.set(record, 32);
    this.#input.set(this.#hash(this.#input.subarray(0, length)));
  }

  /** The hash so far as 64 digits. */
  digits(): Sha256 {
    return bytesToHex(this.#input.subarray(0, 32)) as Sha256;
  }
}
