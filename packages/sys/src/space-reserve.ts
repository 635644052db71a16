import { closeSync, ftruncateSync, openSync, statfsSync } from "node:fs";

import { fallocate } from "./allocate.ts";

/** What the index takes for a few thousand records, before and while its own log is written back. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Of a small disk, no more than this share. */
const SHARE = 1 / 8;

/**
 * A file that holds nothing but space, beside a database: SQLite cannot reserve any, and on a full disk
 * neither a start nor removals would find room for what they write. It is given back for them, and
 * taken again when there is space. The worst that a crash can do is to leave it empty.
 */
export class SpaceReserve implements Disposable {
  readonly #fd: number;
  readonly #bytes: number;
  #isWhole = false;

  constructor(path: string) {
    this.#fd = openSync(path, "a", 0o600);
    const { blocks, bsize } = statfsSync(path);
    this.#bytes = Math.floor(Math.min(MOST_BYTES, blocks * bsize * SHARE));
  }

  /** Takes the space, if it is there to be taken; tells whether the reserve is whole now. */
  take(): boolean {
    if (this.#isWhole) return true;
    try {
      fallocate(this.#fd, 0, 0, this.#bytes);
    } catch (error) {
      const { code } = error as { code?: unknown };
      // Without fallocate(2) nothing can be kept, and nothing is refused for want of it.
      if (code !== "ENOTSUP") {
        ftruncateSync(this.#fd, 0);
        return false;
      }
    }
    this.#isWhole = true;
    return true;
  }

  /** Gives the space back, for what must go on although the disk is full. */
  release(): void {
    ftruncateSync(this.#fd, 0);
    this.#isWhole = false;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
