import type { PeerId, Sha256 } from "@izo/core";

import { isWrongHash } from "../remote-error.ts";
import type { Remote } from "../remote.ts";
import { ContentBytes, ContentShortError } from "./content-bytes.ts";
import type { OwnContents, SealedClose } from "./own-contents.ts";

/** Two fill a connection while one of them waits for its answer; more only compete. */
const PARALLEL = 2;

export interface UploaderOptions {
  readonly remote: Pick<Remote, "upload">;
  readonly contents: OwnContents;
  /** Who makes the records: under another id their numbers are others'. */
  readonly peer: () => PeerId;
  /** An upload has ended; what waited for it may go on. */
  readonly onUploaded: () => void;
  /** An upload has failed, and is begun again when somebody asks for it. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Brings large contents to the server before the records that name them are sent: no record ever
 * waits behind an upload but those that depend on it (design P3).
 */
export class Uploader {
  readonly #options: UploaderOptions;
  /** Contents that the server took in this connection. */
  readonly #uploaded = new Set<Sha256>();
  readonly #running = new Map<Sha256, Promise<void>>();
  /**
   * Contents that a file did not hold any more, and the CLOSEs that it was looked for by: a newer one of that file is
   * on its way. Another file can hold the same content still.
   */
  readonly #changed = new Map<Sha256, Set<string>>();
  /** What is being uploaded, and was sealed since that began: some file holds it now, maybe the same. */
  readonly #sealedMeanwhile = new Set<Sha256>();

  constructor(options: UploaderOptions) {
    this.#options = options;
  }

  /**
   * Tells whether the server holds the content; if not, sees to it that it will. Where the file holds
   * something else by now, nothing is done: the record waits for the file's next CLOSE.
   */
  isThere(close: SealedClose, signal: AbortSignal): boolean {
    const { sha256 } = close.operation;
    if (this.#uploaded.has(sha256)) return true;
    if (this.#running.has(sha256) || this.hasChanged(close) || this.#running.size >= PARALLEL)
      return false;
    const running = this.#run(close, signal).finally(() => {
      this.#running.delete(sha256);
      this.#sealedMeanwhile.delete(sha256);
    });
    this.#running.set(sha256, running);
    running.then(this.#options.onUploaded, (error: unknown) => {
      // Who has ended it knows why.
      if (!signal.aborted) this.#options.onFailed(error);
    });
    return false;
  }

  /** The file was found to hold something else than this content, and the server has not got it from elsewhere. */
  hasChanged(close: SealedClose): boolean {
    const { sha256 } = close.operation;
    if (this.#uploaded.has(sha256)) return false;
    return this.#changed.get(sha256)?.has(this.#nameOf(close)) === true;
  }

  /** A file holds this content now, whatever was found before. */
  noteSealed(sha256: Sha256): void {
    this.#changed.delete(sha256);
    if (this.#running.has(sha256)) this.#sealedMeanwhile.add(sha256);
  }

  /** The server says that it has not got the content, whatever it took before. */
  forget(sha256: Sha256): void {
    this.#uploaded.delete(sha256);
  }

  /** Resolves when nothing is running any more; the caller has aborted it. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }

  /**
   * Uploads a content at once.
   *
   * @returns false where the file does not hold it any more
   * @throws what `Remote` throws
   */
  async upload(close: SealedClose, signal: AbortSignal): Promise<boolean> {
    await this.#run(close, signal);
    return this.#uploaded.has(close.operation.sha256);
  }

  async #run(close: SealedClose, signal: AbortSignal): Promise<void> {
    const { remote, contents } = this.#options;
    const { sha256, sizeBytes } = close.operation;
    using content = contents.open(close);
    if (content === undefined) {
      this.#noteChanged(close);
      return;
    }
    try {
      await using bytes = new ContentBytes(content, sizeBytes);
      await remote.upload(sha256, sizeBytes, (offset) => bytes.from(offset), signal);
      this.#uploaded.add(sha256);
    } catch (error) {
      if (!isOtherContent(error)) throw error;
      this.#noteChanged(close);
    }
  }

  #noteChanged(close: SealedClose): void {
    const { sha256 } = close.operation;
    // What was sent can be from before: it is looked at once more.
    if (this.#sealedMeanwhile.has(sha256)) return;
    const closes = this.#changed.get(sha256) ?? new Set();
    this.#changed.set(sha256, closes.add(this.#nameOf(close)));
  }

  #nameOf({ recno }: SealedClose): string {
    return `${this.#options.peer()} ${recno}`;
  }
}

/** The file was written to since it was sealed. */
function isOtherContent(error: unknown): boolean {
  return isWrongHash(error) || error instanceof ContentShortError;
}
