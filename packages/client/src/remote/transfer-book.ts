import type { Sha256 } from "@izo/core";

/** A content on its way. */
export interface Transfer {
  readonly direction: "in" | "out";
  readonly sha256: Sha256;
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** When it began, in milliseconds since 1970. */
  readonly sinceMs: number;
}

/** All that went over the wire as contents of their own since the process was started. */
export interface TransferTotals {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** What contents are under way, and how far: for those who look, nothing depends on it. */
export class TransferBook {
  readonly #nowMs: () => number;
  readonly #running = new Set<{ -readonly [Key in keyof Transfer]: Transfer[Key] }>();
  #receivedBytes = 0;
  #sentBytes = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  list(): Transfer[] {
    return Array.from(this.#running, (transfer) => ({ ...transfer }));
  }

  totals(): TransferTotals {
    return { receivedBytes: this.#receivedBytes, sentBytes: this.#sentBytes };
  }

  /** Passes on the bytes of a content from `offsetBytes` on, and counts them. */
  async *count(
    what: Pick<Transfer, "direction" | "sha256" | "totalBytes">,
    offsetBytes: number,
    bytes: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array, void> {
    const transfer = { ...what, doneBytes: offsetBytes, sinceMs: this.#nowMs() };
    this.#running.add(transfer);
    try {
      for await (const chunk of bytes) {
        transfer.doneBytes += chunk.length;
        if (what.direction === "in") this.#receivedBytes += chunk.length;
        else this.#sentBytes += chunk.length;
        yield chunk;
      }
    } finally {
      this.#running.delete(transfer);
    }
  }
}
