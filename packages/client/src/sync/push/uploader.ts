import type { Sha256 } from "@izo/core";

import { RemoteProblemError } from "../remote-error.ts";
import type { Remote } from "../remote.ts";
import { ContentBytes, ContentShortError } from "./content-bytes.ts";
import type { OwnContents, SealedClose } from "./own-contents.ts";

/** Two fill a connection while one of them waits for its answer; more only compete. */
const PARALLEL = 2;

export interface UploaderOptions {
  readonly remote: Pick<Remote, "upload">;
  readonly contents: OwnContents;
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
  /** Contents that the file did not hold any more: a newer CLOSE of it is on its way. */
  readonly #changed = new Set<Sha256>();

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
    if (this.#running.has(sha256) || this.#changed.has(sha256) || this.#running.size >= PARALLEL)
      return false;
    const running = this.#run(close, signal).finally(() => this.#running.delete(sha256));
    this.#running.set(sha256, running);
    running.then(this.#options.onUploaded, this.#options.onFailed);
    return false;
  }

  /** The file was found to hold something else than this content. */
  hasChanged(sha256: Sha256): boolean {
    return this.#changed.has(sha256);
  }

  /** A file holds this content now, whatever was found before. */
  noteSealed(sha256: Sha256): void {
    this.#changed.delete(sha256);
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
      this.#changed.add(sha256);
      return;
    }
    try {
      await using bytes = new ContentBytes(content, sizeBytes);
      await remote.upload(sha256, sizeBytes, (offset) => bytes.from(offset), signal);
      this.#uploaded.add(sha256);
    } catch (error) {
      if (!isOtherContent(error)) throw error;
      this.#changed.add(sha256);
    }
  }
}

/** The file was written to since it was sealed. */
function isOtherContent(error: unknown): boolean {
  const isWrong = error instanceof RemoteProblemError && error.code === "wrong-hash";
  return isWrong || error instanceof ContentShortError;
}
