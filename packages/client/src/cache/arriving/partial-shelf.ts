/**
 * What interrupted fetches have left, each under the hash of its content: `partial/` of the cache. It is
 * kept for some days and up to some size, the latest first; all of it can be fetched again.
 */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { isSha256, type Sha256 } from "@izo/core";

import { statInode } from "../inode/inode.ts";
import { PartialFile } from "./partial-file.ts";

const KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** Counted as they take space; one alone may be larger. */
const KEPT_BYTES = 16 * 1024 ** 3;

const MAP_ENDING = ".map";

/** A partial content that nobody is fetching. */
interface Idle {
  readonly sha256: Sha256;
  readonly bytes: number;
  readonly changedMs: number;
}

export class PartialShelf {
  readonly #directory: string;
  readonly #nowMs: () => number;
  readonly #taken = new Set<Sha256>();
  #spareCount = 0;

  /** Removes what is too old or too much, and what cannot be gone on with. */
  constructor(directory: string, nowMs: () => number) {
    this.#directory = directory;
    this.#nowMs = nowMs;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(directory)) {
      const sha256 = name.replace(/\.map$/, "");
      if (!isSha256(sha256) || !this.#isPair(sha256))
        rmSync(join(directory, name), { force: true });
    }
    this.prune();
  }

  /** What is here of a content, to be gone on with: of equal ones that are fetched at once only the first. */
  take(sha256: Sha256, sizeBytes: number): PartialFile {
    if (this.#taken.has(sha256)) {
      this.#spareCount += 1;
      const path = join(this.#directory, `spare-${this.#spareCount}`);
      return new PartialFile({ path, mapPath: null, sizeBytes });
    }
    const path = this.#pathOf(sha256);
    const onClosed = (): void => {
      this.#taken.delete(sha256);
      this.prune();
    };
    const file = new PartialFile({ path, mapPath: path + MAP_ENDING, sizeBytes, onClosed });
    this.#taken.add(sha256);
    return file;
  }

  /** Lets go what has waited too long, and beyond the limit what has waited longest. */
  prune(): void {
    const nowMs = this.#nowMs();
    let bytes = 0;
    for (const idle of this.#idle()) {
      const isTooMuch = bytes > 0 && bytes + idle.bytes > KEPT_BYTES;
      const isTooOld = nowMs - idle.changedMs > KEPT_MS;
      if (isTooMuch || isTooOld || idle.bytes === 0) this.#remove(idle.sha256);
      else bytes += idle.bytes;
    }
  }

  /** The disk is full. @returns how many bytes were let go */
  clear(): number {
    const idle = this.#idle();
    for (const { sha256 } of idle) this.#remove(sha256);
    return idle.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The latest first. */
  #idle(): Idle[] {
    const found: Idle[] = [];
    for (const name of readdirSync(this.#directory)) {
      if (!isSha256(name) || this.#taken.has(name)) continue;
      const stat = statInode(this.#pathOf(name));
      if (stat === undefined) continue;
      const changedMs = Number(stat.mtimeNs / 1_000_000n);
      found.push({ sha256: name, bytes: stat.blocks * 512, changedMs });
    }
    return found.toSorted((a, b) => b.changedMs - a.changedMs);
  }

  #isPair(sha256: Sha256): boolean {
    const path = this.#pathOf(sha256);
    return statInode(path) !== undefined && statInode(path + MAP_ENDING) !== undefined;
  }

  #remove(sha256: Sha256): void {
    const path = this.#pathOf(sha256);
    for (const each of [path + MAP_ENDING, path]) rmSync(each, { force: true });
  }

  #pathOf(sha256: Sha256): string {
    return join(this.#directory, sha256);
  }
}
