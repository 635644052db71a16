/**
 * Contents that a program here has removed, and that only this machine had (design C6).
 *
 * A removal is logged before it is done, but the disk may keep what was done and lose its record: with
 * the power go the last seconds of the log. The record of the content would then be there, and the
 * content nowhere. So its inode waits in limbo until the record of its removal is durable; recovery finds
 * it there, and either its object, which has its names again, or nothing that wants it.
 */
import { linkSync, renameSync, rmSync, unlinkSync } from "node:fs";
import { setImmediate as yieldToRequests } from "node:timers/promises";

import { osPath } from "../tree/cache-paths.ts";

/** As long as a record may be unsynced: the sync that comes anyway is one for all of them. */
const WAIT_MS = 2_000;
/** More than this does not wait: who removes that much wants the space. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Removed in one go, between two turns for the requests of programs. */
const AT_A_TIME = 100;

export interface RemovedContentsOptions {
  /** A free path in limbo, which `isRemovedContent` knows. */
  readonly freePath: () => string;
  /** Resolves when all records made so far survive a power cut. */
  readonly syncLog: () => Promise<void>;
}

export class RemovedContents implements Disposable {
  readonly #options: RemovedContentsOptions;
  #paths: string[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RemovedContentsOptions) {
    this.#options = options;
  }

  /** Takes a name away. @throws as unlink(2) */
  unlink(path: string, sizeBytes: number): void {
    const kept = this.#options.freePath();
    try {
      renameSync(osPath(path), osPath(kept));
    } catch {
      // A full disk, on which removals have to go on: whatever it was, it is unlink's to say.
      unlinkSync(osPath(path));
      return;
    }
    this.#note(kept, sizeBytes);
  }

  /** Gives a name to something else, by a call that takes it from a removed content. @throws what it throws */
  replace(path: string, sizeBytes: number, replace: () => void): void {
    const kept = this.#options.freePath();
    try {
      linkSync(osPath(path), osPath(kept));
    } catch {
      replace();
      return;
    }
    try {
      replace();
    } finally {
      this.#note(kept, sizeBytes);
    }
  }

  /** Makes the records of the removals durable, and lets the contents go; gives how many bytes they had. */
  async settle(): Promise<number> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const paths = this.#paths;
    const bytes = this.#bytes;
    if (paths.length === 0) return 0;
    this.#paths = [];
    this.#bytes = 0;
    try {
      await this.#options.syncLog();
    } catch (error) {
      // The log says so itself and takes nothing more: the next process looks after them.
      this.#paths = [...paths, ...this.#paths];
      this.#bytes += bytes;
      throw error;
    }
    for (const [index, path] of paths.entries()) {
      rmSync(osPath(path), { force: true });
      // oxlint-disable-next-line no-await-in-loop -- this is the pause
      if ((index + 1) % AT_A_TIME === 0) await yieldToRequests();
    }
    return bytes;
  }

  /** What still waits is the next process's. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #note(path: string, sizeBytes: number): void {
    this.#paths.push(path);
    this.#bytes += sizeBytes;
    const waitMs = this.#bytes > MAX_BYTES ? 0 : WAIT_MS;
    if (this.#timer !== undefined && waitMs > 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.settle().catch(() => {}), waitMs).unref();
  }
}
