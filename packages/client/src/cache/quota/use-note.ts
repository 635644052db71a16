import {
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { syncfs } from "@izo/sys";

/** Another one at each start of the machine: random(4). */
const BOOT_ID = readFileSync("/proc/sys/kernel/random/boot_id", "latin1");

/**
 * The note that a cache is in use, since which start of the machine. Where it is found at start, the
 * last use ended without a word, and the cache has to be compared with the log (design C6).
 *
 * Fetched contents are not synced one by one: docs/decisions/0007. While the machine runs on, they are
 * what they were, whatever happened to the process; after another start some can be zeros or short.
 */
export class UseNote {
  readonly #cacheDir: string;
  readonly #path: string;

  constructor(cacheDir: string) {
    this.#cacheDir = cacheDir;
    this.#path = join(cacheDir, "in-use");
  }

  /** How the last use ended: well, or with its process, or with the machine. */
  read(): "closed" | "process-ended" | "machine-ended" {
    try {
      return readFileSync(this.#path, "latin1") === BOOT_ID ? "process-ended" : "machine-ended";
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return "closed";
      throw error;
    }
  }

  /** Durable before the first change: a power cut must not make the cache look clean. */
  write(): void {
    const fd = openSync(this.#path, "w", 0o600);
    try {
      writeFileSync(fd, BOOT_ID);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    this.#withDirectory(fsyncSync);
  }

  /** All that was fetched is made durable first: from then on it is believed. */
  remove(): void {
    this.#withDirectory(syncfs);
    rmSync(this.#path, { force: true });
  }

  #withDirectory(sync: (fd: number) => void): void {
    const fd = openSync(this.#cacheDir, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      sync(fd);
    } finally {
      closeSync(fd);
    }
  }
}
