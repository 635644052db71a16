/**
 * Hashes of large files that programs have put into the export, or changed there. They are computed beside the
 * queue of changes, in which everybody else would wait for them: minutes for a disk image, hours for one of terabytes
 * that is nothing but a hole. A look that meets such a file leaves it for later, as one that is being written, and
 * takes its hash once it is there. Where much waits, the shortest is first: one that takes hours holds up no other.
 *
 * A file that is changed while it is hashed is left alone for a time, a longer one each time, so that one which
 * is written to now and then does not keep the disk busy for ever.
 *
 * Nothing of it is kept: a crash costs the time that went into it.
 */
import { closeSync } from "node:fs";

import type { Sha256 } from "@izo/core";
import type { Path } from "@izo/sys";

import { isUnchanged, type DiskNote } from "../../db/disk-notes.ts";
import { hashOpenFile, openToHash } from "../contents/hash-content.ts";

/** From here on a file is large: it takes a tenth of a second to hash. */
export const LARGE_BYTES = 64 * 1024 * 1024;

/** And here huge: one to two seconds, more than a push or a start should wait for. */
export const HUGE_BYTES = 1024 * 1024 * 1024;

/** Two at a time, as in a look: one reads while the other hashes. */
const MOST_RUNNING = 2;

/** Those that wait for their turn hold a descriptor each. */
const MOST_BEGUN = 64;

/** Hashes that nobody came for, of files that were changed or removed again. */
const MOST_KEPT = 64;

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 300_000;

interface Job {
  readonly note: DiskNote;
  readonly abort: AbortController;
  /** How often in a row the file was changed before its hash was known. */
  readonly failures: number;
  /** Null where it was changed meanwhile. */
  result: "running" | Sha256 | null | { readonly error: unknown };
  /** Where it was changed: when it is worth another try. */
  retryAtMs: number;
  /** What is not read yet. */
  leftBytes: number;
}

/** Which files of a look are hashed beside it, and what becomes of them meanwhile. */
export interface HashedBeside {
  readonly hashes: LongHashes;
  readonly fromBytes: number;
  /** Their names are logged before their contents, for somebody who has run into them. */
  readonly isNameLogged: boolean;
}

export class LongHashes implements Disposable {
  /** By the inode, in the order in which they were begun. */
  readonly #jobs = new Map<string, Job>();
  readonly #nowMs: () => number;
  /** Resolved when one of those that run has come to its end. */
  #ended = Promise.withResolvers<void>();

  /** @param monotonicMs a clock that only goes on */
  constructor(monotonicMs: () => number = () => performance.now()) {
    this.#nowMs = monotonicMs;
  }

  /**
   * The hash of a file that is as noted; undefined while it is not known. Asking begins to find it out, where not
   * too many others are asked for.
   *
   * @throws what reading it threw, once
   */
  hashOf(dirFd: number, name: Path, note: DiskNote): Sha256 | undefined {
    const key = `${note.dev}:${note.ino}`;
    const job = this.#jobs.get(key);
    if (job !== undefined && isUnchanged(job.note, note) && job.result !== null) {
      if (job.result === "running") return undefined;
      if (typeof job.result === "string") return job.result;
      this.#jobs.delete(key);
      throw job.result.error;
    }
    // It has changed since.
    if (job?.result === "running") this.#giveUp(job);
    const isPausing = job?.result === null && this.#nowMs() < job.retryAtMs;
    if (isPausing || this.#running().length >= MOST_BEGUN) return undefined;
    this.#jobs.delete(key);
    const failures = job?.result === null ? job.failures : 0;
    this.#begin(key, openToHash(dirFd, name), note, failures);
    return undefined;
  }

  [Symbol.dispose](): void {
    for (const { abort } of this.#jobs.values()) abort.abort();
    this.#jobs.clear();
    this.#noteEnd();
  }

  #running(): Job[] {
    return [...this.#jobs.values()].filter(({ result }) => result === "running");
  }

  #begin(key: string, fd: number, note: DiskNote, formerFailures: number): void {
    const failures = formerFailures + 1;
    const job: Job = {
      note,
      abort: new AbortController(),
      failures,
      result: "running",
      retryAtMs: 0,
      leftBytes: Number(note.sizeBytes),
    };
    this.#jobs.set(key, job);
    void this.#run(job, fd);
    for (const [other, { result }] of this.#jobs) {
      if (this.#jobs.size <= MOST_KEPT) break;
      if (result !== "running") this.#jobs.delete(other);
    }
  }

  async #run(job: Job, fd: number): Promise<void> {
    const { signal } = job.abort;
    try {
      const sha256 = await hashOpenFile(fd, job.note, {
        signal,
        onWay: (doneBytes) => this.#awaitTurn(job, doneBytes),
      });
      if (sha256 === null) this.#giveUp(job);
      else job.result = sha256;
    } catch (error) {
      if (!signal.aborted) job.result = { error };
    } finally {
      closeSync(fd);
      this.#noteEnd();
    }
  }

  async #awaitTurn(job: Job, doneBytes: number): Promise<void> {
    job.leftBytes = Number(job.note.sizeBytes) - doneBytes;
    // oxlint-disable-next-line no-await-in-loop -- until it is one of the first
    while (!job.abort.signal.aborted && !this.#isFirst(job)) await this.#ended.promise;
  }

  #isFirst(job: Job): boolean {
    // A stable order: of those that have as much left, the one that was begun before.
    const shortest = this.#running().toSorted((a, b) => a.leftBytes - b.leftBytes);
    return shortest.indexOf(job) < MOST_RUNNING;
  }

  #noteEnd(): void {
    this.#ended.resolve();
    this.#ended = Promise.withResolvers();
  }

  #giveUp(job: Job): void {
    job.abort.abort();
    job.result = null;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (job.failures - 1), LONGEST_PAUSE_MS);
    job.retryAtMs = this.#nowMs() + pauseMs;
    this.#noteEnd();
  }
}
