import { fstat } from "@izo/sys";

/** What of a file's attributes tells that its content has changed. */
interface Stamp {
  readonly size: number;
  /** Moved on by every write, and by the first through a mapping since the page was written back. */
  readonly mtimeNs: bigint;
}

/**
 * The descriptors of one inode through which something was written that no record tells of yet.
 *
 * Writes that the driver sees are noted one by one. Where the kernel writes past this process (FUSE
 * passthrough, shared mappings) the file itself is asked whether it has changed since. Who sets the time
 * of a watched file has to say so, with {@link settingTime}: otherwise it would hide a write.
 */
export class UnloggedWrites {
  readonly #written = new Set<number>();
  readonly #watched = new Map<number, Stamp>();

  /** How many there are. */
  get size(): number {
    let count = this.#written.size;
    for (const fd of this.#watched.keys()) if (!this.#written.has(fd) && this.has(fd)) count += 1;
    return count;
  }

  has(fd: number): boolean {
    return this.#written.has(fd) || this.#hasChanged(fd);
  }

  /** Whether somebody may write without anybody's seeing it. */
  get isWatching(): boolean {
    return this.#watched.size > 0;
  }

  /** Whether the file itself is asked. */
  isWatched(fd: number): boolean {
    return this.#watched.has(fd);
  }

  /** Something was written, or is about to be. */
  add(fd: number): void {
    this.#written.add(fd);
  }

  /** From now on the file itself is asked. */
  watch(fd: number): void {
    this.#watched.set(fd, stampOf(fd));
  }

  /**
   * Runs what logs the content as it is now, on behalf of a descriptor. What is written meanwhile is
   * not taken for logged: a record too many is better than one too few.
   */
  logging(fd: number, log: () => void): void {
    const before = this.#stamp();
    log();
    this.#written.delete(fd);
    if (before !== undefined) this.#restamp(before);
  }

  /**
   * Runs what sets the time of the file, which says nothing of its content; a write that happened before
   * is noted first. One by another thread at this very moment goes unnoticed, until the next.
   */
  settingTime(set: () => void): void {
    for (const fd of this.#watched.keys()) if (this.#hasChanged(fd)) this.#written.add(fd);
    set();
    const after = this.#stamp();
    if (after !== undefined) this.#restamp(after);
  }

  /** The descriptor is closed. */
  delete(fd: number): void {
    this.#written.delete(fd);
    this.#watched.delete(fd);
  }

  /** The file was removed: no record will tell of its content. */
  clear(): void {
    this.#written.clear();
    this.#watched.clear();
  }

  #hasChanged(fd: number): boolean {
    const before = this.#watched.get(fd);
    if (before === undefined) return false;
    const now = stampOf(fd);
    return now.size !== before.size || now.mtimeNs !== before.mtimeNs;
  }

  /** All watched descriptors are of one file. */
  #stamp(): Stamp | undefined {
    const [fd] = this.#watched.keys();
    return fd === undefined ? undefined : stampOf(fd);
  }

  #restamp(stamp: Stamp): void {
    for (const fd of this.#watched.keys()) this.#watched.set(fd, stamp);
  }
}

function stampOf(fd: number): Stamp {
  const { size, mtimeNs } = fstat(fd);
  return { size, mtimeNs };
}
