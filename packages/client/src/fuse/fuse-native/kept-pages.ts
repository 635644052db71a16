/**
 * Decides whether the kernel may keep the pages it has of a file from open to open.
 *
 * To the kernel a path is an inode here, whatever node is behind it, so kept pages are right only when
 * the same inode with the same content was opened at that path before. Forgetting an entry costs a
 * re-read; keeping a wrong one would serve stale data. So the memory is bounded and errs on dropping.
 */
import { fstatSync } from "node:fs";

/** About 200 bytes each. */
const maxEntries = 16_384;

export class KeptPages {
  readonly #marks = new Map<string, string>();

  /** Notes what is now open at `path`; true when the kernel's pages are of exactly that. */
  check(path: string, mark: string): boolean {
    const isSame = this.#marks.get(path) === mark;
    this.note(path, mark);
    return isSame;
  }

  note(path: string, mark: string): void {
    this.#marks.delete(path);
    this.#marks.set(path, mark);
    if (this.#marks.size <= maxEntries) return;
    const oldest = this.#marks.keys().next();
    if (!oldest.done) this.#marks.delete(oldest.value);
  }

  drop(path: string): void {
    this.#marks.delete(path);
  }

  /** After a directory moved: every path may mean something else. */
  dropAll(): void {
    this.#marks.clear();
  }
}

/** What an open file is, for `KeptPages`, and how many names it has. */
export function markContent(fd: number): { mark: string; nlink: number } {
  const stat = fstatSync(fd);
  return {
    mark: `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}`,
    nlink: stat.nlink,
  };
}
