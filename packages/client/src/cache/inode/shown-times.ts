/**
 * The change times that inodes show while they have others on disk (`unchanged-times.ts`), kept for the next process in
 * the file `shown-times` of the cache: without them git and backups would read every file once more after a mount that
 * has ended. Written when a mount ends; a crash costs that reading.
 *
 * An entry counts only while its inode has the change time on disk that was noted with it, so an old file does no harm.
 *
 * Layout of the file: per object its id (16 bytes), the change time on disk and the one to show (8 each, ns since 1970,
 * big-endian), in the order of the ids.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Oid } from "@izo/core";

import type { CacheNode } from "../tree/cache-node.ts";

const ENTRY_BYTES = 32;
const ID_BYTES = 16;

/** 8 MB, in memory as well. What is beyond them is read again. */
const MOST_ENTRIES = 250_000;

type ShownTime = NonNullable<CacheNode["shownCtime"]>;

export class ShownTimes {
  readonly #path: string;
  /** As the file was when this process began. */
  #former: Buffer;
  /** Of nodes that were forgotten since. */
  readonly #forgotten = new Map<Oid, ShownTime>();

  constructor(cacheDir: string) {
    this.#path = join(cacheDir, "shown-times");
    this.#former = readIfThere(this.#path);
  }

  /** What an inode shows that has this change time on disk; undefined where it shows that one. */
  of(oid: Oid, actualNs: bigint): ShownTime | undefined {
    const found = this.#forgotten.get(oid) ?? this.#find(oid);
    return found?.actualNs === actualNs ? found : undefined;
  }

  /** The node is forgotten, its inode stays. */
  keep({ oid, shownCtime }: CacheNode): void {
    if (shownCtime !== undefined && this.#forgotten.size < MOST_ENTRIES)
      this.#forgotten.set(oid, shownCtime);
  }

  /**
   * Writes down what these show, and what was known of inodes that nobody has met since. Not synced: of a file that a
   * power cut leaves half, no more is believed than the inodes bear out.
   *
   * @throws the disk's errors; nothing is lost by them but time
   */
  save(nodes: Iterable<CacheNode>): void {
    const times = new Map<Oid, ShownTime>(this.#forgotten);
    for (const { oid, shownCtime } of nodes)
      if (shownCtime !== undefined) times.set(oid, shownCtime);
    for (let at = 0; at < this.#former.length && times.size < MOST_ENTRIES; at += ENTRY_BYTES) {
      const oid = this.#former.toString("hex", at, at + ID_BYTES) as Oid;
      if (!times.has(oid)) times.set(oid, timeAt(this.#former, at));
    }
    const oids = [...times.keys()].slice(0, MOST_ENTRIES).toSorted();
    const bytes = Buffer.alloc(oids.length * ENTRY_BYTES);
    for (const [index, oid] of oids.entries()) {
      const at = index * ENTRY_BYTES;
      const { actualNs, shownNs } = times.get(oid)!;
      bytes.write(oid, at, "hex");
      bytes.writeBigInt64BE(actualNs, at + ID_BYTES);
      bytes.writeBigInt64BE(shownNs, at + ID_BYTES + 8);
    }
    writeFileSync(`${this.#path}.new`, bytes, { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
    this.#former = bytes;
  }

  #find(oid: Oid): ShownTime | undefined {
    const id = Buffer.from(oid, "hex");
    let [first, end] = [0, this.#former.length / ENTRY_BYTES];
    while (first < end) {
      const middle = (first + end) >>> 1;
      const at = middle * ENTRY_BYTES;
      const order = id.compare(this.#former, at, at + ID_BYTES);
      if (order === 0) return timeAt(this.#former, at);
      if (order < 0) end = middle;
      else first = middle + 1;
    }
    return undefined;
  }
}

function timeAt(bytes: Buffer, at: number): ShownTime {
  return {
    actualNs: bytes.readBigInt64BE(at + ID_BYTES),
    shownNs: bytes.readBigInt64BE(at + ID_BYTES + 8),
  };
}

/** Whole entries only. */
function readIfThere(path: string): Buffer {
  try {
    const bytes = readFileSync(path);
    return bytes.subarray(0, bytes.length - (bytes.length % ENTRY_BYTES));
  } catch {
    return Buffer.alloc(0);
  }
}
