import { createHash } from "node:crypto";
import { fstatSync, readSync } from "node:fs";

import type { ClientOperation, CloseOperation, Recno, Sha256 } from "@izo/core";

import type { CacheExecutor, LocalContent } from "../cache-executor.ts";

/** A sealed CLOSE, by its number in the own log: its content has a name. */
export interface SealedClose {
  readonly recno: Recno;
  readonly operation: CloseOperation & { readonly sha256: Sha256 };
}

/** A record as a sealed CLOSE, where it is one. */
export function sealedClose(recno: Recno, operation: ClientOperation): SealedClose | undefined {
  if (operation.opcode !== "CLOSE" || operation.sha256 === null) return undefined;
  return { recno, operation: { ...operation, sha256: operation.sha256 } };
}

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
  read(close: SealedClose): Uint8Array | undefined {
    const { sha256, sizeBytes } = close.operation;
    const kept = this.#small.get(sha256);
    if (kept !== undefined) return kept;
    using content = this.#cache.openContent(close);
    if (content === undefined || fstatSync(content.fd).size !== sizeBytes) return undefined;
    const bytes = new Uint8Array(sizeBytes);
    const count = readSync(content.fd, bytes, 0, bytes.length, 0);
    if (count !== bytes.length) return undefined;
    if (createHash("sha256").update(bytes).digest("hex") !== sha256) return undefined;
    this.#small.set(sha256, bytes);
    return bytes;
  }

  /** The file that held the content when it was sealed; whether it still does shows when it is sent. */
  open(close: SealedClose): LocalContent | undefined {
    const content = this.#cache.openContent(close);
    if (content === undefined || fstatSync(content.fd).size === close.operation.sizeBytes)
      return content;
    content[Symbol.dispose]();
    return undefined;
  }

  /** The server holds the content. */
  forget(sha256: Sha256): void {
    this.#small.delete(sha256);
  }
}
