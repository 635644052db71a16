import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { promisify } from "node:util";

import { fallocate, FALLOC } from "../allocate.ts";
import { SysError } from "../sys-error.ts";

const fdatasyncAsync = promisify(fdatasync);

/** Flags of `open(2)` by mode, as `node:fs` writes them. */
const FLAGS = { read: "r", write: "r+", create: "w+" } as const;

/** Only the peer's own user reads its logs: they name every file and every actor. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/**
 * The local file system, as `Disk` of `@izo/core` wants it; the two packages share the shape and no
 * import. Errors are those of `node:fs`.
 */
export const nodeDisk = {
  makeDirectory(path: string): void {
    mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE });
  },
  list(path: string): string[] {
    return readdirSync(path);
  },
  open(path: string, mode: keyof typeof FLAGS): NodeDiskFile {
    return new NodeDiskFile(openSync(path, FLAGS[mode], FILE_MODE));
  },
  remove(path: string): void {
    unlinkSync(path);
  },
  async syncDirectory(path: string): Promise<void> {
    await using directory = await open(path, "r");
    await directory.sync();
  },
};

/** A file by its descriptor. */
export class NodeDiskFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  sizeBytes(): number {
    return fstatSync(this.#fd).size;
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const count = readSync(this.#fd, bytes, done, length - done, offset + done);
      if (count === 0) return bytes.subarray(0, done);
      done += count;
    }
    return bytes;
  }

  /** Goes on after a short write, so that the error of a full disk is the system's own. */
  write(offset: number, bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) {
      done += writeSync(this.#fd, bytes, done, bytes.length - done, offset + done);
    }
  }

  truncate(sizeBytes: number): void {
    ftruncateSync(this.#fd, sizeBytes);
  }

  /** fallocate(2) that keeps the size; nothing on file systems that know no such thing. */
  reserve(offset: number, length: number): void {
    try {
      fallocate(this.#fd, FALLOC.KEEP_SIZE, offset, length);
    } catch (error) {
      if (!(error instanceof SysError) || error.code !== "ENOTSUP") throw error;
    }
  }

  async sync(): Promise<void> {
    await fdatasyncAsync(this.#fd);
  }

  syncBlocking(): void {
    fdatasyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
