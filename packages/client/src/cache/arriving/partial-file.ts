/**
 * A content of which not all bytes are here: a sparse file of its full size, and beside it which of them
 * are. An interrupted fetch goes on from there, also in the next process.
 *
 * The map is saved after the bytes that it speaks of were written, and nothing is synced: after a power
 * cut it may name bytes that are zeros. The hash of the whole content finds that out before anything of it
 * counts as content (design C4).
 */
import {
  closeSync,
  constants,
  ftruncateSync,
  fstatSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
  writev,
} from "node:fs";
import { promisify } from "node:util";

import { z } from "zod";

import { PresenceMap } from "./presence-map.ts";

const writeVector = promisify(writev);

const OPEN_FLAGS = constants.O_CREAT | constants.O_RDWR | constants.O_NOFOLLOW;

/** So much a crash has fetched again, and a few of the last writes. */
const SAVE_EVERY_BYTES = 8 * 1024 * 1024;

const mapSchema = z.object({
  sizeBytes: z.int().positive(),
  spans: z.array(z.object({ start: z.int().nonnegative(), end: z.int().positive() })),
});

export interface PartialFileOptions {
  readonly path: string;
  /** Null for one that nobody goes on with. */
  readonly mapPath: string | null;
  readonly sizeBytes: number;
  /** It is not used any more. */
  readonly onClosed?: () => void;
}

export class PartialFile implements Disposable {
  readonly path: string;
  readonly map: PresenceMap;
  readonly fd: number;
  readonly #mapPath: string | null;
  readonly #mapFd: number | undefined;
  readonly #onClosed: PartialFileOptions["onClosed"];
  #unsavedBytes = 0;
  #isClosed = false;

  /** Goes on with the file where there is one of this size and its map can be read; else makes it. */
  constructor({ path, mapPath, sizeBytes, onClosed }: PartialFileOptions) {
    this.path = path;
    this.#mapPath = mapPath;
    this.#onClosed = onClosed;
    this.map = new PresenceMap(sizeBytes);
    this.fd = openSync(path, OPEN_FLAGS, 0o600);
    this.#mapFd = mapPath === null ? undefined : openSync(mapPath, OPEN_FLAGS, 0o600);
    if (this.#mapFd !== undefined && fstatSync(this.fd).size === sizeBytes) {
      for (const { start, end } of readSpans(this.#mapFd, sizeBytes)) this.map.add(start, end);
    }
    if (this.map.presentBytes > 0) return;
    this.save();
    this.fd = makeSparse(this.fd, path, sizeBytes);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Writes a piece, or its beginning, at once: for what somebody waits for. Pieces after it are better
   * written elsewhere than on the event loop, which a disk that is behind would hold up.
   *
   * @returns how much of it is here
   */
  writeNow(piece: Uint8Array, offsetBytes: number): number {
    this.#checkOpen();
    const bytes = writeSync(this.fd, piece, 0, piece.length, offsetBytes);
    this.noteWritten(offsetBytes, offsetBytes + bytes);
    return bytes;
  }

  /** Writes pieces one behind the other; they are here when it resolves. */
  async write(pieces: readonly Uint8Array[], offsetBytes: number): Promise<void> {
    this.#checkOpen();
    let at = offsetBytes;
    for (let left = pieces; left.length > 0;) {
      // oxlint-disable-next-line no-await-in-loop -- mostly one round; a full disk takes a part
      const { bytesWritten } = await writeVector(this.fd, left as NodeJS.ArrayBufferView[], at);
      at += bytesWritten;
      left = skip(left, bytesWritten);
    }
    this.noteWritten(offsetBytes, at);
  }

  /** These bytes are in the file. */
  noteWritten(startBytes: number, endBytes: number): void {
    this.map.add(startBytes, endBytes);
    this.#unsavedBytes += endBytes - startBytes;
    if (this.#unsavedBytes >= SAVE_EVERY_BYTES) this.save();
  }

  /** Its number can be another file's by now. */
  #checkOpen(): void {
    if (this.#isClosed) throw new Error(`Cannot write to ${this.path}: it is closed`);
  }

  /** From here on a crash costs nothing of what is here. */
  save(): void {
    this.#unsavedBytes = 0;
    if (this.#mapFd === undefined || this.#isClosed) return;
    const spans = [...this.map.spans()];
    const text = `${JSON.stringify({ sizeBytes: this.map.sizeBytes, spans })}\n`;
    // In place, with what a longer one has left behind it: ext4 begins to write a file to the disk that takes
    // another's name, or is cut off (auto_da_alloc), and that took 3 ms each time. A kill comes before such a
    // write or after it; what a power cut makes of it is found out.
    writeSync(this.#mapFd, text, 0);
  }

  /** The file has gone to another place: nobody goes on with it. */
  forget(): void {
    if (this.#mapPath !== null && !this.#isClosed) rmSync(this.#mapPath, { force: true });
    this[Symbol.dispose]();
  }

  /** {@link forget}, and removes the file. Who has it open can still read it. */
  remove(): void {
    if (!this.#isClosed) this.#removeFiles();
    this.forget();
  }

  /** Nobody goes on with it, or there is nothing to go on with. */
  get #isOfNoUse(): boolean {
    return this.#mapPath === null || this.map.presentBytes === 0;
  }

  #removeFiles(): void {
    rmSync(this.path, { force: true });
    if (this.#mapPath !== null) rmSync(this.#mapPath, { force: true });
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.fd);
    if (this.#mapFd !== undefined) closeSync(this.#mapFd);
    if (this.#isOfNoUse) this.#removeFiles();
    this.#onClosed?.();
  }
}

/**
 * Of what cannot be gone on with a new file is made. Not by cutting it to nothing: ext4 takes that for a program that writes
 * its file anew, and has all of it written to the disk when it is closed (`auto_da_alloc` in ext4(5)), which took a second
 * of the event loop for 1 GiB.
 */
function makeSparse(fd: number, path: string, sizeBytes: number): number {
  let made = fd;
  if (fstatSync(fd).size > 0) {
    rmSync(path);
    made = openSync(path, OPEN_FLAGS | constants.O_EXCL, 0o600);
    // Only now: where there is no new one, the old one is still its owner's to close.
    closeSync(fd);
  }
  ftruncateSync(made, sizeBytes);
  return made;
}

/** None where the map is new, or is not what this version writes: then the fetch begins anew. */
function readSpans(mapFd: number, sizeBytes: number): z.infer<typeof mapSchema>["spans"] {
  try {
    const [line = ""] = readFileSync(mapFd, "utf8").split("\n");
    const map = mapSchema.parse(JSON.parse(line));
    return map.sizeBytes === sizeBytes ? map.spans : [];
  } catch {
    return [];
  }
}

function skip(pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes;
  for (const [index, piece] of pieces.entries()) {
    if (left < piece.length) return [piece.subarray(left), ...pieces.slice(index + 1)];
    left -= piece.length;
  }
  return [];
}
