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
  readonly #running = new Set<Transfer>();
  #receivedBytes = 0;
  #sentBytes = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  list(): Transfer[] {
    // A content can come in several streams at once; it is one transfer, since the first of them.
    const transfers = new Map<string, Transfer>();
    for (const transfer of this.#running) {
      const key = `${transfer.direction} ${transfer.sha256}`;
      if (!transfers.has(key)) transfers.set(key, { ...transfer });
    }
    return [...transfers.values()];
  }

  totals(): TransferTotals {
    return { receivedBytes: this.#receivedBytes, sentBytes: this.#sentBytes };
  }

  /**
   * Passes on the bytes of a content from `offsetBytes` on, and counts them.
   *
   * @param presentBytes how much of it is done, where that is not all before and of these bytes
   */
  async *count<Piece extends { readonly length: number }>(
    what: Pick<Transfer, "direction" | "sha256" | "totalBytes">,
    offsetBytes: number,
    bytes: AsyncIterable<Piece>,
    presentBytes?: () => number,
  ): AsyncGenerator<Piece, void> {
    let movedBytes = 0;
    const transfer = {
      ...what,
      get doneBytes() {
        return presentBytes?.() ?? offsetBytes + movedBytes;
      },
      sinceMs: this.#nowMs(),
    };
    this.#running.add(transfer);
    try {
      for await (const chunk of bytes) {
        movedBytes += chunk.length;
        if (what.direction === "in") this.#receivedBytes += chunk.length;
        else this.#sentBytes += chunk.length;
        yield chunk;
      }
    } finally {
      this.#running.delete(transfer);
    }
  }
}
