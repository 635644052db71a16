/**
 * When programs used which content last: what eviction goes by. The time of the last access that file
 * systems keep will not do: they keep it by the day, or not at all. Kept in memory, and in the file
 * `last-uses` of the cache from time to time; a crash loses the order of the last minutes.
 *
 * Layout of the file: per object its id (16 bytes) and the time in ms since 1970 (8, big-endian), those
 * used last at the end.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Oid } from "@izo/core";

/** Some 100 bytes each in memory; what was used before these counts as used when it came. */
const MOST_OBJECTS = 200_000;

const ENTRY_BYTES = 24;

export class LastUses {
  readonly #path: string;
  readonly #nowMs: () => number;
  /** In the order of their use. */
  readonly #times = new Map<Oid, number>();
  #isChanged = false;

  constructor(cacheDir: string, nowMs: () => number) {
    this.#path = join(cacheDir, "last-uses");
    this.#nowMs = nowMs;
    this.#read();
  }

  /** A program opens the object. */
  note(oid: Oid): void {
    this.#times.delete(oid);
    this.#times.set(oid, this.#nowMs());
    this.#isChanged = true;
    if (this.#times.size <= MOST_OBJECTS) return;
    for (const oldest of this.#times.keys()) {
      this.#times.delete(oldest);
      return;
    }
  }

  /** The object is gone. */
  forget(oid: Oid): void {
    if (this.#times.delete(oid)) this.#isChanged = true;
  }

  /** In ms since 1970; undefined where no use is known. */
  of(oid: Oid): number | undefined {
    return this.#times.get(oid);
  }

  /** Writes down what changed since the last time. @throws the disk's errors; nothing is lost by them */
  save(): void {
    if (!this.#isChanged) return;
    const bytes = Buffer.alloc(this.#times.size * ENTRY_BYTES);
    let offset = 0;
    for (const [oid, timeMs] of this.#times) {
      bytes.write(oid, offset, "hex");
      bytes.writeBigUInt64BE(BigInt(Math.trunc(timeMs)), offset + 16);
      offset += ENTRY_BYTES;
    }
    writeFileSync(`${this.#path}.new`, bytes, { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
    this.#isChanged = false;
  }

  /** A file that is missing, or cut off, costs an order that time restores. */
  #read(): void {
    let bytes: Buffer;
    try {
      bytes = readFileSync(this.#path);
    } catch {
      return;
    }
    for (let offset = 0; offset + ENTRY_BYTES <= bytes.length; offset += ENTRY_BYTES) {
      const oid = bytes.toString("hex", offset, offset + 16) as Oid;
      this.#times.set(oid, Number(bytes.readBigUInt64BE(offset + 16)));
    }
  }
}
