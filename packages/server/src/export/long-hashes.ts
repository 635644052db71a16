/**
 * Hashes of large files that programs have put into the export, or changed there. They are computed beside the
 * queue of changes, in which everybody else would wait for them: minutes for a disk image. A look that meets
 * such a file leaves it for later, as one that is being written, and takes its hash once it is there.
 *
 * Nothing of it is kept: a crash costs the time that went into it.
 */
import { closeSync } from "node:fs";

import type { Sha256 } from "@izo/core";
import type { Path } from "@izo/sys";

import { isUnchanged, type DiskNote } from "../db/disk-notes.ts";
import { hashOpenFile, openToHash } from "./hash-content.ts";

/** From here on a file is large: it takes a tenth of a second to hash. */
const LARGE_BYTES = 64 * 1024 * 1024;

/** Two at a time, as in a look: one reads while the other hashes. */
const MOST_RUNNING = 2;

/** Hashes that nobody came for, of files that were changed or removed again. */
const MOST_KEPT = 64;

interface Job {
  readonly note: DiskNote;
  readonly abort: AbortController;
  result: "running" | Sha256 | null | { readonly error: unknown };
}

export class LongHashes implements Disposable {
  /** By the inode, in the order in which they were begun. */
  readonly #jobs = new Map<string, Job>();
  readonly #largeBytes: number;

  /** @param largeBytes for tests: from which size on a file is large */
  constructor(largeBytes = LARGE_BYTES) {
    this.#largeBytes = largeBytes;
  }

  isLarge({ sizeBytes }: DiskNote): boolean {
    return sizeBytes >= this.#largeBytes;
  }

  /**
   * The hash of a file that is as noted; undefined while it is not known yet, or changes all the time. Asking
   * begins to find it out, where not too many others are asked for.
   *
   * @throws what reading it threw, once
   */
  hashOf(dirFd: number, name: Path, note: DiskNote): Sha256 | undefined {
    const key = `${note.dev}:${note.ino}`;
    const job = this.#jobs.get(key);
    if (job !== undefined && isUnchanged(job.note, note)) {
      const { result } = job;
      if (result === "running") return undefined;
      if (typeof result === "string") return result;
      this.#jobs.delete(key);
      if (result !== null) throw result.error;
    }
    job?.abort.abort();
    this.#jobs.delete(key);
    const running = [...this.#jobs.values()].filter(({ result }) => result === "running");
    if (running.length < MOST_RUNNING) this.#begin(key, openToHash(dirFd, name), note);
    return undefined;
  }

  [Symbol.dispose](): void {
    for (const { abort } of this.#jobs.values()) abort.abort();
    this.#jobs.clear();
  }

  #begin(key: string, fd: number, note: DiskNote): void {
    const job: Job = { note, abort: new AbortController(), result: "running" };
    this.#jobs.set(key, job);
    hashOpenFile(fd, note, job.abort.signal)
      .then((sha256) => void (job.result = sha256))
      .catch((error: unknown) => void (job.result = { error }))
      .finally(() => closeSync(fd));
    for (const [other, { result }] of this.#jobs) {
      if (this.#jobs.size <= MOST_KEPT) break;
      if (result !== "running") this.#jobs.delete(other);
    }
  }
}
