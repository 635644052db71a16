import { createHash } from "node:crypto";
import { readSync } from "node:fs";
import { Worker } from "node:worker_threads";

import type { Sha256 } from "@izo/core";

/** Files up to this size take less time to hash than a message to another thread and back. */
const MAX_INLINE_BYTES = 128 * 1024;

/** What the worker is asked, and what it answers. */
export interface HashRequest {
  readonly id: number;
  readonly fd: number;
}
export type HashReply =
  | { readonly id: number; readonly sha256: Sha256 }
  | { readonly id: number; readonly error: string };

/** Hashes files by their descriptors: small ones at once, large ones on a thread of its own. */
export class FileHasher implements AsyncDisposable {
  #worker: Worker | null = null;
  #lastId = 0;
  readonly #waiting = new Map<number, PromiseWithResolvers<Sha256>>();

  /** The SHA-256 of a file's bytes from its start; `sizeBytes` only decides where it is done. */
  hash(fd: number, sizeBytes: number): Promise<Sha256> {
    if (sizeBytes <= MAX_INLINE_BYTES) return Promise.resolve(hashDescriptor(fd));
    this.#worker ??= this.#start();
    const id = (this.#lastId += 1);
    const waiting = Promise.withResolvers<Sha256>();
    this.#waiting.set(id, waiting);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
    this.#worker.postMessage({ id, fd } satisfies HashRequest);
    return waiting.promise;
  }

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
      if ("sha256" in reply) waiting?.resolve(reply.sha256);
      else waiting?.reject(new Error(reply.error));
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

/** The SHA-256 of a file from its start to its end, in one go. */
export function hashDescriptor(fd: number): Sha256 {
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(MAX_INLINE_BYTES);
  for (let offset = 0; ;) {
    const count = readSync(fd, chunk, 0, chunk.length, offset);
    if (count === 0) return hash.digest("hex") as Sha256;
    hash.update(chunk.subarray(0, count));
    offset += count;
  }
}
