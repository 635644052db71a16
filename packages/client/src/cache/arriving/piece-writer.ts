import { Landed } from "../../sync/push/landed.ts";
import type { PartialFile } from "./partial-file.ts";

/** Pieces that wait while the ones before them are written; beyond it the network waits for the disk. */
const MOST_WAITING_BYTES = 1024 * 1024;

/**
 * Writes what a stream brings, in order, while the next pieces come in: several small pieces that came
 * meanwhile are one call.
 */
export class PieceWriter {
  readonly #file: PartialFile;
  readonly #onWritten: (endBytes: number) => void;
  #at: number;
  #isFirst = true;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #error: unknown;

  constructor(file: PartialFile, offsetBytes: number, onWritten: (endBytes: number) => void) {
    this.#file = file;
    this.#at = offsetBytes;
    this.#onWritten = onWritten;
  }

  /** @throws the disk's errors, also those of earlier pieces */
  async add(piece: Uint8Array | Landed): Promise<void> {
    if (piece instanceof Landed) return this.#noteLanded(piece.length);
    const rest = this.#isFirst ? this.#writeFirst(piece) : piece;
    if (rest.length === 0) return;
    this.#waiting.push(rest);
    this.#waitingBytes += rest.length;
    this.#writing ??= this.#writeAll();
    if (this.#waitingBytes >= MOST_WAITING_BYTES) await this.flush();
  }

  /** What was written elsewhere, behind all that was given here. */
  async #noteLanded(bytes: number): Promise<void> {
    if (this.#writing !== undefined) await this.flush();
    this.#isFirst = false;
    this.#file.noteWritten(this.#at, this.#at + bytes);
    this.#at += bytes;
    this.#onWritten(this.#at);
  }

  /** What is left of it. */
  #writeFirst(piece: Uint8Array): Uint8Array {
    this.#isFirst = false;
    const bytes = this.#file.writeNow(piece, this.#at);
    this.#at += bytes;
    this.#onWritten(this.#at);
    return piece.subarray(bytes);
  }

  /** Resolves when all that was added is written. @throws the disk's errors */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#error !== undefined) throw this.#error;
  }

  /** Resolves when nothing is being written any more, whether or not it could be. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const pieces = this.#waiting;
        const bytes = this.#waitingBytes;
        this.#waiting = [];
        this.#waitingBytes = 0;
        // oxlint-disable-next-line no-await-in-loop -- in order
        await this.#file.write(pieces, this.#at);
        this.#at += bytes;
        this.#onWritten(this.#at);
      }
    } catch (error) {
      this.#error = error;
    } finally {
      this.#writing = undefined;
    }
  }
}
