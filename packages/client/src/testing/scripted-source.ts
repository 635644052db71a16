import type { ContentSource } from "../cache/content/content-source.ts";
/** A source for tests that gives what a test lets it give, and remembers what it was asked. */
import { RemoteUnreachableError } from "../sync/remote-error.ts";
import type { ContentOptions } from "../sync/remote.ts";

const PIECE_BYTES = 64 * 1024;

export class ScriptedSource implements ContentSource {
  readonly #content: Buffer;
  readonly asked: ContentOptions[] = [];
  /** Bytes that were given, in all. */
  givenBytes = 0;
  /** Up to where it gives; who wants more waits. */
  #gate = Infinity;
  /** At this place it breaks off, once. */
  #cutAt: number | undefined;
  #opened = Promise.withResolvers<void>();

  constructor(content: Buffer) {
    this.#content = content;
  }

  holdBackFrom(offsetBytes: number): void {
    this.#gate = offsetBytes;
    this.#opened.resolve();
    this.#opened = Promise.withResolvers();
  }

  letGo(): void {
    this.holdBackFrom(Infinity);
  }

  cutAt(offsetBytes: number): void {
    this.#cutAt = offsetBytes;
  }

  fetchContent = (_sha256: unknown, options: ContentOptions = {}, signal?: AbortSignal) => {
    signal?.throwIfAborted();
    this.asked.push(options);
    const bytes = this.#give(options, signal);
    return Promise.resolve({ sizeBytes: this.#content.length, bytes });
  };

  async *#give(
    { offsetBytes = 0, endBytes = this.#content.length }: ContentOptions,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void> {
    for (let at = offsetBytes; at < endBytes;) {
      // oxlint-disable-next-line no-await-in-loop -- piece by piece, as a network gives them
      while (at >= this.#gate) await this.#whenOpened(signal);
      signal?.throwIfAborted();
      if (this.#cutAt !== undefined && at >= this.#cutAt) {
        this.#cutAt = undefined;
        throw new RemoteUnreachableError("http://test", "cut off");
      }
      const end = Math.min(at + PIECE_BYTES, endBytes, Math.max(this.#gate, at + 1));
      this.givenBytes += end - at;
      yield this.#content.subarray(at, end);
      at = end;
    }
  }

  #whenOpened(signal: AbortSignal | undefined): Promise<void> {
    const { promise } = this.#opened;
    if (signal === undefined) return promise;
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => aborted.reject(signal.reason), { once: true });
    return Promise.race([promise, aborted.promise]);
  }
}
