/**
 * Copies of files that are written without pause, under their hash, for as long as the server has not
 * got them (design D9). The file itself goes on changing, so they are the only place where the content
 * of such a record is.
 *
 * A copy is durable before the record that names it is sealed. A crash can leave one that no record
 * names, which is removed at the next start.
 */
import {
  closeSync,
  constants,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate as yieldToRequests } from "node:timers/promises";

import type { Sha256 } from "@izo/core";
import {
  copyFileRange,
  fstat,
  futimens,
  reflink,
  seekData,
  seekHole,
  type Stat,
  SysError,
} from "@izo/sys";

import type { LocalContent } from "../../sync/cache-executor.ts";

/**
 * Copied in one go, in which nobody can write whose writes come through this process. Some 10 ms, which
 * other requests wait. A larger file is copied in pieces of this size where blocks cannot be shared, and
 * what is written meanwhile may be in it in part, as in any copy of a file that is being written.
 */
const PIECE_BYTES = 16 * 1024 * 1024;

/** What a file system says that cannot share blocks between files. */
const CANNOT_SHARE = new Set(["EOPNOTSUPP", "ENOTSUP", "EINVAL", "ENOTTY", "EXDEV"]);

/** A finished copy that has no hash yet. */
export interface FreshCopy extends LocalContent {
  /** Of the file, when the copy was begun. */
  readonly stat: Stat;
  /** Keeps the copy under its hash; otherwise disposing of it removes it. */
  keep(sha256: Sha256): void;
}

export class ContentCopies {
  readonly #directory: string;
  readonly #kept: Set<Sha256>;
  #count = 0;

  /** @param directory made where it is missing; on the cache's file system */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#directory = directory;
    this.#kept = new Set(readdirSync(directory) as Sha256[]);
  }

  has(sha256: Sha256): boolean {
    return this.#kept.has(sha256);
  }

  open(sha256: Sha256): LocalContent | undefined {
    if (!this.#kept.has(sha256)) return undefined;
    const fd = openSync(join(this.#directory, sha256), constants.O_RDONLY);
    return { fd, [Symbol.dispose]: () => closeSync(fd) };
  }

  /** Copies an open file, with its time. @throws the system's error, as for a full disk */
  async make(fromFd: number): Promise<FreshCopy> {
    this.#count += 1;
    const path = join(this.#directory, `copy-${this.#count}`);
    const flags = constants.O_CREAT | constants.O_TRUNC | constants.O_RDWR;
    const fd = openSync(path, flags, 0o600);
    let isKept = false;
    const dispose = (): void => {
      closeSync(fd);
      if (!isKept) rmSync(path, { force: true });
    };
    try {
      const stat = fstat(fromFd);
      await copyContent(fromFd, fd, stat.size);
      futimens(fd, "omit", stat.mtimeNs);
      const keep = (sha256: Sha256): void => {
        fdatasyncSync(fd);
        renameSync(path, join(this.#directory, sha256));
        this.#kept.add(sha256);
        isKept = true;
      };
      return { fd, stat, keep, [Symbol.dispose]: dispose };
    } catch (error) {
      dispose();
      throw error;
    }
  }

  /** Removes the copies that no record needs any more. */
  prune(isNeeded: (sha256: Sha256) => boolean): void {
    for (const sha256 of this.#kept) {
      if (isNeeded(sha256)) continue;
      rmSync(join(this.#directory, sha256), { force: true });
      this.#kept.delete(sha256);
    }
  }
}

async function copyContent(fromFd: number, toFd: number, sizeBytes: number): Promise<void> {
  try {
    reflink(fromFd, toFd);
    return;
  } catch (error) {
    if (!(error instanceof SysError) || !CANNOT_SHARE.has(error.code)) throw error;
  }
  ftruncateSync(toFd, sizeBytes);
  let sincePause = 0;
  for (let offset = 0; offset < sizeBytes;) {
    if (sincePause >= PIECE_BYTES) {
      // oxlint-disable-next-line no-await-in-loop -- this is the pause
      await yieldToRequests();
      sincePause = 0;
    }
    const data = dataFrom(fromFd, offset);
    if (data === undefined) break;
    const length = Math.min(PIECE_BYTES - sincePause, data.endBytes - data.startBytes);
    const count = copyFileRange(fromFd, data.startBytes, toFd, data.startBytes, length);
    // It was cut off meanwhile.
    if (count === 0) break;
    offset = data.startBytes + count;
    sincePause += count;
  }
}

/** What stands in the file from an offset on; holes stay such: an image of a disk can be hundreds of times its blocks. */
function dataFrom(
  fd: number,
  offset: number,
): { readonly startBytes: number; readonly endBytes: number } | undefined {
  const startBytes = seekData(fd, offset);
  const endBytes = startBytes === undefined ? undefined : seekHole(fd, startBytes);
  return startBytes === undefined || endBytes === undefined ? undefined : { startBytes, endBytes };
}
