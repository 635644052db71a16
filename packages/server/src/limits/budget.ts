import { ProblemError } from "@izo/core";

/**
 * Bytes in memory that are not the server's to drop: bodies that come in, answers that wait for slow
 * readers. What is beyond is refused, or made smaller, instead of kept.
 */
export class Budget {
  readonly #maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get freeBytes(): number {
    return Math.max(0, this.#maxBytes - this.#usedBytes);
  }

  /** Takes bytes that are there already; they are given back with what is returned. */
  hold(bytes: number): () => void {
    this.#usedBytes += bytes;
    let isHeld = true;
    return () => {
      if (isHeld) this.#usedBytes -= bytes;
      isHeld = false;
    };
  }

  /** The same, where there is room. @throws ProblemError `overloaded` */
  take(bytes: number): () => void {
    if (bytes <= this.freeBytes) return this.hold(bytes);
    throw overloaded("the server holds as much as it may in memory");
  }
}

/** Too much is asked at a time; a moment later it may be answered. */
export function overloaded(reason: string): ProblemError {
  return new ProblemError("overloaded", `Cannot answer now: ${reason}`);
}
