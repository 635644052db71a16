import { closeSync, existsSync, fsyncSync, openSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The note that a cache is in use. Where it is found at start, the last use ended without a word, and
 * the cache has to be compared with the log (design C6).
 */
export class UseNote {
  readonly #path: string;

  constructor(cacheDir: string) {
    this.#path = join(cacheDir, "in-use");
  }

  get isLeftBehind(): boolean {
    return existsSync(this.#path);
  }

  /** Durable before the first change: a power cut must not make the cache look clean. */
  write(): void {
    for (const path of [this.#path, dirname(this.#path)]) {
      const fd = openSync(path, path === this.#path ? "w" : "r", 0o600);
      fsyncSync(fd);
      closeSync(fd);
    }
  }

  remove(): void {
    rmSync(this.#path, { force: true });
  }
}
