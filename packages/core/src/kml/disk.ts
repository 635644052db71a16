/**
 * What the log asks of a disk. The interface lives here, with its user; Node's implementation is in
 * `@izo/sys`, one with faults and power cuts in `@izo/core/testing`.
 *
 * Calls that end in the page cache are synchronous: they cost microseconds, less than a promise, and
 * nothing can come between two of them. Calls that wait for the device are asynchronous. Errors are
 * thrown as the system reports them, with `code` (`ENOSPC`, `EIO`, …).
 */
export interface Disk {
  /** Makes a directory and its parents where they are missing. */
  makeDirectory(path: string): void;
  /** Names in a directory, in no promised order. */
  list(path: string): string[];
  /** Opens a file: `create` makes it, empty, for reading and writing. */
  open(path: string, mode: DiskOpenMode): DiskFile;
  remove(path: string): void;
  /** Makes what was created in and removed from the directory durable (fsync of the directory). */
  syncDirectory(path: string): Promise<void>;
}

export type DiskOpenMode = "read" | "write" | "create";

export interface DiskFile {
  sizeBytes(): number;
  /** Up to `length` bytes from `offset`, less where the file ends; the caller owns them. */
  read(offset: number, length: number): Uint8Array;
  /** Writes all of `bytes` at `offset`, or throws with any part of them written. */
  write(offset: number, bytes: Uint8Array): void;
  /**
   * Cuts the file to its new size, or lengthens it with zeros; what {@link reserve} took behind it is
   * given back.
   */
  truncate(sizeBytes: number): void;
  /**
   * Takes space for later writes to `[offset, offset + length)`: they find room whatever else fills the
   * disk. The size stays. Where the file system cannot, nothing happens.
   */
  reserve(offset: number, length: number): void;
  /** Makes the file's content and size durable (fdatasync). */
  sync(): Promise<void>;
  /** {@link sync} that blocks until it is done. */
  syncBlocking(): void;
  close(): void;
}
