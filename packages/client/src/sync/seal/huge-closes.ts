import type { PendingRecord, Recno } from "@izo/core";

/**
 * The CLOSEs of huge files, sealed one after another, the smallest first. To hash one can take minutes, and hours where
 * it is sparse: all others are sealed beside it, and wait for none (P3).
 */
export class HugeCloses implements AsyncDisposable {
  readonly #seal: (close: PendingRecord) => Promise<void>;
  /** Those that wait, and the one that is being sealed. */
  readonly #closes = new Map<Recno, PendingRecord>();
  #running: Promise<void> | null = null;
  #isStopped = false;

  /** @param seal does what can be done for one now; never rejects */
  constructor(seal: (close: PendingRecord) => Promise<void>) {
    this.#seal = seal;
  }

  has(recno: Recno): boolean {
    return this.#closes.has(recno);
  }

  add(close: PendingRecord): void {
    if (this.#isStopped) return;
    this.#closes.set(close.recno, close);
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves when there is none left. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** Resolves when the one that is being sealed is done with. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let next = this.#smallest(); next !== undefined; next = this.#smallest()) {
      // oxlint-disable-next-line no-await-in-loop -- one at a time: the disk is the mount's, too
      await this.#seal(next);
      this.#closes.delete(next.recno);
    }
  }

  #smallest(): PendingRecord | undefined {
    if (this.#isStopped) return undefined;
    const bySize = [...this.#closes.values()].toSorted((a, b) => sizeOf(a) - sizeOf(b));
    return bySize[0];
  }
}

function sizeOf({ operation }: PendingRecord): number {
  return operation.opcode === "CLOSE" ? operation.sizeBytes : 0;
}
