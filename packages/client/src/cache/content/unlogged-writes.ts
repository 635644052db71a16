import { fstat, type Stat } from "@izo/sys";

import { SeldomMap } from "../tree/seldom-map.ts";

/**
 * What of a file's attributes tells that its content has changed. The time is moved on by every write, and by
 * the first through a mapping since the page was written back.
 */
type Stamp = Pick<Stat, "size" | "mtimeNs">;

/**
 * The descriptors of one inode through which something was written that no record tells of yet.
 *
 * Writes that the driver sees are noted one by one. Where the kernel writes past this process (FUSE
 * passthrough, shared mappings) the file itself is asked whether it has changed since. Who sets the time
 * of a watched file has to say so, with {@link settingTime}: otherwise it would hide a write.
 */
export class UnloggedWrites {
  readonly #written = new SeldomMap<number, true>();
  readonly #watched = new SeldomMap<number, Stamp>();

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
    this.#written.set(fd, true);
  }

  /** From now on the file itself is asked. */
  watch(fd: number): void {
    this.#watched.set(fd, stampOf(fd));
  }

  /** From now on the file itself is asked by another descriptor of it, from where this one stands. */
  hand(fd: number, to: number): void {
    const stamp = this.#watched.get(fd);
    if (stamp !== undefined) this.#watched.set(to, stamp);
    this.#watched.delete(fd);
    if (this.#written.delete(fd)) this.#written.set(to, true);
  }

  /**
   * Runs what logs the content, as the file was found to be, on behalf of a descriptor. What is written
   * meanwhile is not taken for logged: a record too many is better than one too few.
   */
  logging(fd: number, log: (found: Stat) => void): void {
    this.#logAs(fd, fstat(fd), log);
  }

  /** {@link logging}, if something was written through the descriptor. */
  loggingWritten(fd: number, log: (found: Stat) => void): void {
    const before = this.#watched.get(fd);
    const isWritten = this.#written.has(fd);
    if (!isWritten && before === undefined) return;
    const found = fstat(fd);
    if (isWritten || isChanged(before, found)) this.#logAs(fd, found, log);
  }

  #logAs(fd: number, found: Stat, log: (found: Stat) => void): void {
    log(found);
    this.#written.delete(fd);
    this.#restamp(found);
  }

  /** Notes what shows in the file alone. Whether anything was written that no record tells of. */
  noteWrites(): boolean {
    for (const fd of this.#watched.keys()) if (this.has(fd)) this.#written.set(fd, true);
    return this.#written.size > 0;
  }

  /**
   * Runs what sets the time of the file, which says nothing of its content; a write that happened before
   * is noted first. One by another thread at this very moment goes unnoticed, until the next.
   */
  settingTime(set: () => void): void {
    this.noteWrites();
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
    return before !== undefined && isChanged(before, fstat(fd));
  }

  /** All watched descriptors are of one file. */
  #stamp(): Stamp | undefined {
    const [fd] = this.#watched.keys();
    return fd === undefined ? undefined : stampOf(fd);
  }

  #restamp({ size, mtimeNs }: Stamp): void {
    for (const fd of this.#watched.keys()) this.#watched.set(fd, { size, mtimeNs });
  }
}

function isChanged(before: Stamp | undefined, now: Stamp): boolean {
  return now.size !== before?.size || now.mtimeNs !== before.mtimeNs;
}

function stampOf(fd: number): Stamp {
  const { size, mtimeNs } = fstat(fd);
  return { size, mtimeNs };
}
