import { hash } from "node:crypto";
import {
  closeSync,
  fdatasync,
  openSync,
  read as readCallback,
  readFileSync,
  readSync,
  rmSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { bytesToText, EMPTY_SHA256, MAX_INLINE_BYTES, type Sha256 } from "@izo/core";
import { fstatat, notePassed, renameat2, unlinkat, writeWhole } from "@izo/sys";

import { contentEndedAt } from "../../db/contents.ts";
import { noteOfStat } from "../../db/disk-notes.ts";
import { isFullDisk } from "../../log/is-full-disk.ts";
import { ContentChangedError, NoSpaceError, UploadOffsetError, WrongHashError } from "../errors.ts";
import type { OpenContent, SupersededContent, UploadState } from "../export.ts";
import type { Fileset } from "../fileset.ts";
import { noteFullDisk } from "../full-disk-problem.ts";
import { JobQueue } from "../job-queue.ts";
import { openContentSource, type ContentSource, type OnStale } from "./content-source.ts";
import { hashContent } from "./hash-content.ts";
import { IdleUploads, partName } from "./idle-uploads.ts";
import { isAbandoned, stagedContents } from "./staged-contents.ts";
import { UnsyncedContents } from "./unsynced-contents.ts";

const read = promisify(readCallback);
const fdatasyncAsync = promisify(fdatasync);

const PIECE_BYTES = 256 * 1024;

const IS_HASH = /^[0-9a-f]{64}$/;

/**
 * Contents by hash: those of the tree and of retained files to read, those of uploads to come in. An
 * upload counts from the moment that it is under its hash: verified and durable before that. A small content that
 * comes with its record is durable before the record is: a power cut can leave other bytes under its hash, and they
 * go at the next start.
 *
 * What has come of an upload belongs to its sender: another one who sends slowly, or other bytes, keeps
 * nobody from bringing the same content.
 */
export class ContentStore {
  /** What of uploads may go when the disk is full. */
  readonly idle: IdleUploads;
  readonly #fileset: Fileset;
  readonly #onStale: OnStale;
  /** By part: one upload at a time; others of the same sender wait, and find it complete. */
  readonly #uploads = new Map<string, JobQueue>();
  readonly #unsynced = new UnsyncedContents();
  #inlineCount = 0;

  /** @param onStale is told of files that are not as noted */
  constructor(fileset: Fileset, onStale: OnStale) {
    this.#fileset = fileset;
    this.#onStale = onStale;
    this.idle = new IdleUploads(fileset, (part) => this.#uploads.has(part));
  }

  has(sha256: Sha256): boolean {
    return this.sizeOf(sha256) !== null;
  }

  /** How long the content is; null where it is not here. */
  sizeOf(sha256: Sha256): number | null {
    if (sha256 === EMPTY_SHA256) return 0;
    using source = openContentSource(this.#fileset, sha256);
    return source?.sizeBytes ?? null;
  }

  /** `changing` where the file that held the content is there, and not as it was noted. */
  open(sha256: Sha256): OpenContent | SupersededContent | "changing" | null {
    let isChanging = false;
    const noteStale: OnStale = (entry, isThere) => {
      isChanging ||= isThere;
      this.#onStale(entry, isThere);
    };
    const source =
      sha256 === EMPTY_SHA256 ? emptySource() : openContentSource(this.#fileset, sha256, noteStale);
    if (source !== null) return new SourceContent(source, sha256);
    if (isChanging) return "changing";
    const recno = contentEndedAt(this.#fileset.committed.connection, sha256);
    return recno === undefined ? null : { kind: "superseded", recno };
  }

  /** Read in one call on this thread: it was written a moment ago, and to ask another takes longer. */
  readSmall(sha256: Sha256): Uint8Array | null {
    using source = openContentSource(this.#fileset, sha256);
    if (source === null || source.sizeBytes > MAX_INLINE_BYTES) return null;
    const bytes = new Uint8Array(source.sizeBytes);
    const length = readSync(source.fd, bytes, 0, bytes.length, 0);
    return length === bytes.length && source.isIntact() ? bytes : null;
  }

  uploadState(sha256: Sha256, sender: string | null): UploadState {
    using source = openContentSource(this.#fileset, sha256);
    if (source !== null) return { offsetBytes: source.sizeBytes, isComplete: true };
    const offsetBytes = this.#bytesOf(partName(sha256, sender));
    return { offsetBytes, isComplete: sha256 === EMPTY_SHA256 };
  }

  async upload(
    sha256: Sha256,
    body: AsyncIterable<Uint8Array>,
    range: { readonly offsetBytes: number; readonly totalBytes: number },
    sender: string | null,
  ): Promise<UploadState> {
    const part = partName(sha256, sender);
    const queue = this.#uploads.get(part) ?? new JobQueue();
    this.#uploads.set(part, queue);
    try {
      return await queue.run(() => this.#receive(sha256, part, body, range));
    } catch (error) {
      throw this.#failureOf(error, sha256);
    } finally {
      if (queue.isIdle) this.#uploads.delete(part);
    }
  }

  /** Takes a content that comes with its record; it can be read at once, and is durable once {@link whenDurable}. */
  stageInline(sha256: Sha256, bytes: Uint8Array): void {
    const found = hash("sha256", bytes) as Sha256;
    if (found !== sha256) throw new WrongHashError(sha256, found);
    if (this.has(sha256)) return;
    this.#inlineCount += 1;
    // All of it is here: it waits for nobody who brings the same.
    const part = `${sha256}.inline-${this.#inlineCount}`;
    const fd = this.#writeInline(sha256, part, bytes);
    this.#unsynced.add(sha256, this.#syncInline(sha256, fd));
  }

  #writeInline(sha256: Sha256, part: string, bytes: Uint8Array): number {
    const { contentsFd } = this.#fileset;
    for (;;) {
      let fd: number | undefined;
      try {
        fd = openSync(this.#pathOf(part), "w", 0o600);
        writeWhole(fd, bytes);
        renameat2(contentsFd, part, contentsFd, sha256);
        return fd;
      } catch (error) {
        if (fd !== undefined) closeSync(fd);
        this.#drop(part);
        if (!this.idle.makeRoom(error)) throw this.#failureOf(error, sha256);
      }
    }
  }

  /** Resolves when these contents survive a power cut, as far as they are here. @throws what the disk says */
  whenDurable(hashes: Iterable<Sha256>): Promise<void> {
    return this.#unsynced.whenSynced(hashes);
  }

  async #syncInline(sha256: Sha256, fd: number): Promise<void> {
    try {
      await fdatasyncAsync(fd);
    } catch (error) {
      this.#drop(sha256);
      throw this.#failureOf(error, sha256);
    } finally {
      closeSync(fd);
    }
  }

  /** Drops uploads that nobody will ask for, and what a power cut has left of small ones. Run at start. */
  dropAbandoned(): void {
    const { contentsFd, nowNs } = this.#fileset;
    for (const content of stagedContents(contentsFd)) {
      const { name, stat } = content;
      // A second name: it was put into the tree when a crash came.
      const isOver = stat.nlink > 1 || isAbandoned(content, nowNs());
      if (isOver || !this.#isWhole(bytesToText(name), stat.size)) unlinkat(contentsFd, name);
    }
  }

  /** What has come in part is gone on with; large contents got their hash as their name when they were durable. */
  #isWhole(name: string, sizeBytes: number): boolean {
    if (!IS_HASH.test(name) || sizeBytes > MAX_INLINE_BYTES) return true;
    return hash("sha256", readFileSync(this.#pathOf(name))) === name;
  }

  #failureOf(error: unknown, sha256: Sha256): unknown {
    noteFullDisk(this.#fileset, error);
    return isFullDisk(error) ? new NoSpaceError(`take the content ${sha256}`, error) : error;
  }

  async #receive(
    sha256: Sha256,
    part: string,
    body: AsyncIterable<Uint8Array>,
    range: { readonly offsetBytes: number; readonly totalBytes: number },
  ): Promise<UploadState> {
    const { offsetBytes, totalBytes } = range;
    if (this.has(sha256)) return { offsetBytes: totalBytes, isComplete: true };
    const here = this.#bytesOf(part);
    if (offsetBytes !== here) throw new UploadOffsetError(sha256, offsetBytes, here);
    let end = offsetBytes;
    {
      await using file = await open(this.#pathOf(part), here === 0 ? "w" : "r+", 0o600);
      for await (const piece of body) {
        if (end + piece.length > totalBytes) {
          throw new UploadOffsetError(sha256, end + piece.length, totalBytes);
        }
        // What has room is written, which may be less.
        for (let at = 0; at < piece.length;) {
          const write = () => file.write(piece, at, piece.length - at, end);
          // oxlint-disable-next-line no-await-in-loop -- one after another
          const { bytesWritten } = await this.idle.withRoom(write);
          at += bytesWritten;
          end += bytesWritten;
        }
      }
      if (end < totalBytes) return { offsetBytes: end, isComplete: false };
      // Once only: a second sync does not tell of what the first has lost (fsync(2)).
      await fdatasyncAsync(file.fd);
    }
    await this.#finish(sha256, part);
    return { offsetBytes: totalBytes, isComplete: true };
  }

  async #finish(sha256: Sha256, part: string): Promise<void> {
    const { contentsFd } = this.#fileset;
    const note = noteOfStat(fstatat(contentsFd, part, { noFollow: true }));
    const found = await hashContent(contentsFd, part, note);
    if (found !== sha256) {
      this.#drop(part);
      throw new WrongHashError(sha256, found ?? EMPTY_SHA256);
    }
    renameat2(contentsFd, part, contentsFd, sha256);
  }

  #bytesOf(name: string): number {
    const options = { noFollow: true, throwIfNoEntry: false } as const;
    return fstatat(this.#fileset.contentsFd, name, options)?.size ?? 0;
  }

  #drop(name: string): void {
    rmSync(this.#pathOf(name), { force: true });
  }

  #pathOf(name: string): string {
    return join(this.#fileset.paths.contents, name);
  }
}

class SourceContent implements OpenContent {
  readonly kind = "open";
  readonly sizeBytes: number;
  readonly #source: ContentSource;
  readonly #sha256: Sha256;

  constructor(source: ContentSource, sha256: Sha256) {
    this.#source = source;
    this.#sha256 = sha256;
    this.sizeBytes = source.sizeBytes;
  }

  async *read(start = 0, end = this.sizeBytes): AsyncGenerator<Uint8Array, void> {
    const last = Math.min(end, this.sizeBytes);
    for (let offset = start; offset < last;) {
      const length = Math.min(PIECE_BYTES, last - offset);
      // Not filled with zeros: of it is given out what was read into it, and nothing else.
      const piece = Buffer.allocUnsafeSlow(length);
      const { bytesRead } = await read(this.#source.fd, piece, 0, length, offset);
      offset += bytesRead;
      notePassed(length);
      // The last piece is given out only when the file is known to have been the same all the while.
      const isDone = offset >= last || bytesRead === 0;
      if (isDone && (bytesRead === 0 || !this.#source.isIntact())) {
        throw new ContentChangedError(this.#sha256);
      }
      yield piece.subarray(0, bytesRead);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#source[Symbol.dispose]();
  }
}

function emptySource(): ContentSource {
  return { fd: -1, sizeBytes: 0, isIntact: () => true, [Symbol.dispose]: () => {} };
}
