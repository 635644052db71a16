import { createHash, type Hash } from "node:crypto";
import { closeSync, constants, fdatasync, fstatSync, openSync, readSync } from "node:fs";
import { release } from "node:os";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";

import type { Sha256 } from "@izo/core";

const syncData = promisify(fdatasync);

/** Files up to this size take less time to hash than a message to another thread and back. */
export const SMALL_FILE_BYTES = 128 * 1024;

/**
 * So many files are synced one by one: for more it takes less to sync all that their disk has to write. syncfs(2)
 * tells whether that went wrong since Linux 5.8.
 */
const FEW_FILES = isAtLeast(release(), 5, 8) ? 4 : Infinity;

/**
 * What the worker is asked: to hash a file; several, and to make durable all that is on the file system of a
 * directory; to hash one that grows up to a place, and give the hash where that is its end; to leave it. What it
 * answers stands below.
 */
export type HashRequest =
  | { readonly kind: "file"; readonly id: number; readonly fd: number }
  | {
      readonly kind: "settle";
      readonly id: number;
      readonly fds: readonly number[];
      readonly directory: number;
    }
  | {
      readonly kind: "part";
      readonly id: number;
      readonly fd: number;
      readonly endBytes: number;
      readonly isLast: boolean;
    }
  | { readonly kind: "drop"; readonly id: number };
export type HashReply =
  | { readonly id: number; readonly sha256: Sha256 }
  | { readonly id: number; readonly hashes: readonly (Sha256 | Error)[] }
  | { readonly id: number; readonly error: string };

/** The hash of a file that is written from its start to its end, taken while that is done. */
export interface GrowingHash extends Disposable {
  /** The bytes up to there are written, and stay as they are. */
  advance(endBytes: number): void;
  /** The hash of the bytes up to there. */
  finish(endBytes: number): Promise<Sha256>;
}

/** Hashes files by their descriptors: small ones at once, large ones on a thread of its own. */
export class FileHasher implements AsyncDisposable {
  #worker: Worker | null = null;
  #lastId = 0;
  readonly #waiting = new Map<number, PromiseWithResolvers<HashReply>>();

  /** The SHA-256 of a file's bytes from its start; `sizeBytes` only decides where it is done. */
  async hash(fd: number, sizeBytes: number): Promise<Sha256> {
    if (sizeBytes <= SMALL_FILE_BYTES) return hashDescriptor(fd);
    return this.#askForHash({ kind: "file", id: this.#newId(), fd });
  }

  /**
   * Makes open files durable, and gives the hash of each, or why it could not be read.
   *
   * @param directory of their file system, opened before what is in them was written
   * @throws the disk's errors
   */
  async settle(
    files: readonly { readonly fd: number; readonly sizeBytes: number }[],
    directory: number,
  ): Promise<readonly (Sha256 | Error)[]> {
    if (files.length > FEW_FILES) {
      const fds = files.map(({ fd }) => fd);
      const reply = await this.#ask({ kind: "settle", id: this.#newId(), fds, directory });
      return "hashes" in reply ? reply.hashes : [];
    }
    const hashes = files.map(({ fd, sizeBytes }) => this.hash(fd, sizeBytes).catch(asError));
    await Promise.all(files.map(({ fd }) => syncData(fd)));
    return Promise.all(hashes);
  }

  /** Begins with a file that grows; the descriptor stays open until the hash is known, or left. */
  follow(fd: number): GrowingHash {
    const id = this.#newId();
    let isOver = false;
    return {
      advance: (endBytes) => this.#post({ kind: "part", id, fd, endBytes, isLast: false }),
      finish: (endBytes) => {
        isOver = true;
        return this.#askForHash({ kind: "part", id, fd, endBytes, isLast: true });
      },
      [Symbol.dispose]: () => {
        if (!isOver) this.#post({ kind: "drop", id });
        isOver = true;
      },
    };
  }

  #newId(): number {
    return (this.#lastId += 1);
  }

  async #askForHash(request: HashRequest): Promise<Sha256> {
    const reply = await this.#ask(request);
    if ("sha256" in reply) return reply.sha256;
    throw new Error(`Cannot hash a file: the thread has answered something else`);
  }

  #ask(request: HashRequest): Promise<HashReply> {
    const waiting = Promise.withResolvers<HashReply>();
    this.#waiting.set(request.id, waiting);
    this.#post(request);
    return waiting.promise;
  }

  #post(request: HashRequest): void {
    this.#worker ??= this.#start();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
    this.#worker.postMessage(request);
  }

  /** What is being hashed is given up, and fails. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    // The file runs as it is from source and as it is built; its name is the only difference.
    const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
    const worker = new Worker(new URL(`./hash-worker${extension}`, import.meta.url));
    worker.unref();
    worker.on("message", (reply: HashReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ("error" in reply) waiting?.reject(new Error(reply.error));
      else waiting?.resolve(reply);
    });
    worker.on("error", (error) => this.#fail(error));
    worker.on("exit", () => this.#fail(new Error("the hashing thread has ended")));
    return worker;
  }

  #fail(error: Error): void {
    this.#worker = null;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function isAtLeast(kernel: string, major: number, minor: number): boolean {
  const [ofMajor = 0, ofMinor = 0] = kernel.split(".").map(Number);
  return ofMajor > major || (ofMajor === major && ofMinor >= minor);
}

/** What was thrown, where it is to be told of one file among others. */
export function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}

/** Some 100 ms of work. */
const LOOK_EVERY_BYTES = 64 * 1024 * 1024;

/**
 * The SHA-256 of a file from its start to its end, in one go. @throws where a large one loses its last name meanwhile:
 * a sparse one of terabytes takes hours, and nobody would wait for it any more
 */
export function hashDescriptor(fd: number): Sha256 {
  const hash = createHash("sha256");
  for (let at = 0; ; at += LOOK_EVERY_BYTES) {
    const end = at + LOOK_EVERY_BYTES;
    if (addBytes(hash, fd, at, end) < end) return hash.digest("hex") as Sha256;
    if (fstatSync(fd).nlink === 0)
      throw new Error(`Cannot hash a file: it was removed after ${end} bytes were read`);
  }
}

/** Adds the bytes of a file to a hash, to its end at most; where they ended. */
function addBytes(hash: Hash, fd: number, startBytes: number, endBytes: number): number {
  const chunk = Buffer.allocUnsafe(SMALL_FILE_BYTES);
  for (let offset = startBytes; ;) {
    const length = Math.min(chunk.length, endBytes - offset);
    const count = length === 0 ? 0 : readSync(fd, chunk, 0, length, offset);
    if (count === 0) return offset;
    hash.update(chunk.subarray(0, count));
    offset += count;
  }
}

/** A file that grows, in the worker, which has a descriptor of its own: it can be behind. */
interface Growing {
  readonly fd: number;
  readonly hash: Hash;
  atBytes: number;
}

/** Files that grow, in the worker. */
export class GrowingHashes {
  readonly #growing = new Map<number, Growing>();

  /** The hash, where this was the last part. @throws the disk's errors */
  add({ id, fd, endBytes, isLast }: HashRequest & { kind: "part" }): Sha256 | undefined {
    const growing = this.#growing.get(id) ?? this.#begin(id, fd);
    growing.atBytes = addBytes(growing.hash, growing.fd, growing.atBytes, endBytes);
    if (!isLast) return undefined;
    this.drop(id);
    return growing.hash.digest("hex") as Sha256;
  }

  drop(id: number): void {
    const growing = this.#growing.get(id);
    this.#growing.delete(id);
    if (growing !== undefined) closeSync(growing.fd);
  }

  #begin(id: number, fd: number): Growing {
    const own = openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY);
    const growing = { fd: own, hash: createHash("sha256"), atBytes: 0 };
    this.#growing.set(id, growing);
    return growing;
  }
}
