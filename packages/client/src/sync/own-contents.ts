import { createHash } from "node:crypto";
import { createReadStream, fstatSync, readSync } from "node:fs";

import type { CloseOperation, Sha256, StateReader } from "@izo/core";

import type { CacheExecutor, LocalContent } from "./cache-executor.ts";
import { contentOid } from "./content-oid.ts";

/** A sealed CLOSE: its content has a name. */
export type SealedClose = CloseOperation & { readonly sha256: Sha256 };

/** The contents of own records, read back from the cache to be sent. */
export class OwnContents {
  readonly #cache: CacheExecutor;
  /**
   * Small contents of records that are about to be sent, until the server holds them: a program may
   * overwrite the file meanwhile, and what was frozen with this hash still needs these bytes.
   */
  readonly #small = new Map<Sha256, Uint8Array>();

  constructor(cache: CacheExecutor) {
    this.#cache = cache;
  }

  /** A small content, or undefined where the file holds something else by now. */
  read(close: SealedClose, visible: StateReader): Uint8Array | undefined {
    const kept = this.#small.get(close.sha256);
    if (kept !== undefined) return kept;
    using content = this.#cache.openContent(contentOid(close, visible));
    if (content === undefined || fstatSync(content.fd).size !== close.sizeBytes) return undefined;
    const bytes = new Uint8Array(close.sizeBytes);
    const count = readSync(content.fd, bytes, 0, bytes.length, 0);
    if (count !== bytes.length) return undefined;
    if (createHash("sha256").update(bytes).digest("hex") !== close.sha256) return undefined;
    this.#small.set(close.sha256, bytes);
    return bytes;
  }

  /** The file that held the content when it was sealed; whether it still does shows when it is sent. */
  open(close: SealedClose, visible: StateReader): LocalContent | undefined {
    const content = this.#cache.openContent(contentOid(close, visible));
    if (content === undefined || fstatSync(content.fd).size === close.sizeBytes) return content;
    content[Symbol.dispose]();
    return undefined;
  }

  /** The server holds the content. */
  forget(sha256: Sha256): void {
    this.#small.delete(sha256);
  }
}

/** The bytes of an open file from an offset to its end. */
export function readFrom(content: LocalContent, offsetBytes: number): AsyncIterable<Uint8Array> {
  return createReadStream("", {
    fd: content.fd,
    start: offsetBytes,
    autoClose: false,
    highWaterMark: 256 * 1024,
  });
}
