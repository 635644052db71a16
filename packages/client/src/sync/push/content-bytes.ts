import { read } from "node:fs";
import { promisify } from "node:util";

import type { LocalContent } from "../cache-executor.ts";

const readAt = promisify(read);

/** Of one read: to send it takes longer than to ask for it. */
const CHUNK_BYTES = 256 * 1024;

/** The file holds fewer bytes than were to be sent: it was truncated meanwhile. */
export class ContentShortError extends Error {}

/**
 * The bytes of an open file, to be sent. Its descriptor stays its owner's: a stream of Node closes the one that it
 * was given as soon as a request ends early, and the owner then closes a file that somebody else has opened since.
 *
 * A read can be under way when its request has ended. So the owner closes the file after this was disposed of.
 */
export class ContentBytes implements AsyncDisposable {
  readonly #content: LocalContent;
  readonly #sizeBytes: number;
  readonly #reading = new Set<Promise<unknown>>();
  #isDisposed = false;

  /** @param sizeBytes how many there are to be sent, whatever the file has by now */
  constructor(content: LocalContent, sizeBytes: number) {
    this.#content = content;
    this.#sizeBytes = sizeBytes;
  }

  /** @throws ContentShortError; the disk's errors */
  async *from(offsetBytes: number): AsyncGenerator<Uint8Array, void> {
    for (let offset = offsetBytes; offset < this.#sizeBytes;) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, this.#sizeBytes - offset));
      // oxlint-disable-next-line no-await-in-loop -- one after another
      const count = await this.#read(chunk, offset);
      if (count === 0) throw new ContentShortError(`Cannot send more than ${offset} bytes`);
      yield chunk.subarray(0, count);
      offset += count;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await Promise.allSettled(this.#reading);
  }

  async #read(chunk: Uint8Array, offset: number): Promise<number> {
    if (this.#isDisposed) throw new Error("Cannot read a content whose upload has ended");
    const reading = readAt(this.#content.fd, chunk, 0, chunk.length, offset);
    this.#reading.add(reading);
    try {
      return (await reading).bytesRead;
    } finally {
      this.#reading.delete(reading);
    }
  }
}
