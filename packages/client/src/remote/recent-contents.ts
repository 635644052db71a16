import type { InlineContent, Sha256 } from "@izo/core";

/** Enough for the small files that others have just closed; what is older is asked for again. */
const MOST_BYTES = 1024 * 1024;

/** The last small contents that came along with the log, for those who want them next. */
export class RecentContents {
  /** The oldest first. */
  readonly #contents = new Map<Sha256, Uint8Array>();
  #bytes = 0;

  /** @param content its hash was checked */
  add({ sha256, bytes }: InlineContent): void {
    if (this.#contents.has(sha256) || bytes.length > MOST_BYTES) return;
    // Of its own: what came is a view of the whole answer.
    this.#contents.set(sha256, bytes.slice());
    this.#bytes += bytes.length;
    for (const [oldest, { length }] of this.#contents) {
      if (this.#bytes <= MOST_BYTES) break;
      this.#contents.delete(oldest);
      this.#bytes -= length;
    }
  }

  get(sha256: Sha256): Uint8Array | undefined {
    return this.#contents.get(sha256);
  }
}
