/**
 * Keeps room on the disk for writers that the kernel serves past this process: with passthrough a full
 * disk is told to the program and to nobody else, and then it is too late to let cached content leave.
 *
 * So two things happen before. Where space is short, a file that is opened for writing gets no
 * passthrough: its writes come here, and one that finds the disk full is done again after room was made.
 * While there are writers past this process, free space is looked at, as often as a fast disk could use it
 * up, and content leaves when it gets short. What is left is a disk that other programs fill within
 * milliseconds: its writers see ENOSPC, as on any disk.
 *
 * Nothing here is durable; a look that comes too late costs a program an ENOSPC.
 */
import type { FileSystem } from "../file-system.ts";

/** Less than this is short: more than any disk writes between two looks. */
const SHORT_BYTES = 256 * 1024 * 1024;

/** No disk is filled faster: twice what one NVMe drive takes. */
const FASTEST_BYTES_PER_MS = 10 * 1024 * 1024;

/** Between two looks; the longest bounds the harm of a clock or a disk that is not as thought. */
const SHORTEST_MS = 20;
const LONGEST_MS = 2_000;

export interface FreeSpaceOptions {
  readonly nowMs: () => number;
  readonly onError: (error: unknown) => void;
}

export class FreeSpace implements Disposable {
  readonly #fileSystem: Pick<FileSystem, "statfs" | "makeRoom">;
  readonly #options: FreeSpaceOptions;
  #writers = 0;
  #timer: NodeJS.Timeout | undefined;
  #isShort = false;
  /** Until then the last look holds. */
  #believedUntilMs = -Infinity;
  #isMakingRoom = false;

  constructor(fileSystem: Pick<FileSystem, "statfs" | "makeRoom">, options: FreeSpaceOptions) {
    this.#fileSystem = fileSystem;
    this.#options = options;
  }

  /** Whether writes should come through this process now. */
  get isShort(): boolean {
    if (this.#options.nowMs() >= this.#believedUntilMs) this.#look();
    return this.#isShort;
  }

  /** Somebody can write past this process from now on. */
  addWriter(): void {
    this.#writers += 1;
    this.#schedule();
  }

  removeWriter(): void {
    // The timer goes on until it finds nobody: who makes many files opens and closes them by turns.
    this.#writers -= 1;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    // One that is set comes when the last look ends to hold: no later look can have been before that.
    if (this.#writers === 0 || this.#timer !== undefined) return;
    const delayMs = Math.max(SHORTEST_MS, this.#believedUntilMs - this.#options.nowMs());
    this.#timer = setTimeout(() => this.#onTimer(), Math.min(delayMs, LONGEST_MS)).unref();
  }

  #onTimer(): void {
    this.#timer = undefined;
    if (this.#writers === 0) return;
    this.#lookForWriters();
    this.#schedule();
  }

  #lookForWriters(): void {
    try {
      const missing = SHORT_BYTES - this.#look();
      if (missing > 0 && !this.#isMakingRoom) void this.#makeRoom(missing);
    } catch (error) {
      this.#options.onError(error);
    }
  }

  async #makeRoom(bytes: number): Promise<void> {
    this.#isMakingRoom = true;
    try {
      await this.#fileSystem.makeRoom(bytes);
    } catch (error) {
      this.#options.onError(error);
    } finally {
      this.#isMakingRoom = false;
    }
  }

  /** The bytes that are free. */
  #look(): number {
    const { blockSize, blocksAvailable } = this.#fileSystem.statfs();
    const freeBytes = blockSize * blocksAvailable;
    this.#isShort = freeBytes < SHORT_BYTES;
    const untilShortMs = (freeBytes - SHORT_BYTES) / FASTEST_BYTES_PER_MS;
    const holdsMs = Math.min(Math.max(untilShortMs, SHORTEST_MS), LONGEST_MS);
    this.#believedUntilMs = this.#options.nowMs() + holdsMs;
    return freeBytes;
  }
}
