/**
 * Sends own records (design C8, P1, P3). Only InterSync calls it, one push at a time.
 *
 * Unsent records are optimized; those whose content can be had are frozen, which is durable before the
 * first of them is sent; then frozen records go out in order, as often as it takes. What the answer
 * says counts only for what is sent next: outcomes are learnt from the log.
 *
 * A crash at any point sends the same records again under the same numbers.
 */

import {
  EMPTY_SHA256,
  IzoError,
  MAX_INLINE_BYTES,
  withoutHeld,
  type FrozenRecord,
  type InlineContent,
  type Optimized,
  type PermitFence,
  type PendingRecord,
  type Recno,
  type Sha256,
} from "@izo/core";

import type { CacheExecutor } from "./cache-executor.ts";
import { contentOid } from "./content-oid.ts";
import type { LocalReplica } from "./local-replica.ts";
import { OwnContents, type SealedClose } from "./own-contents.ts";
import { RemoteProblemError } from "./remote-error.ts";
import type { Remote } from "./remote.ts";
import { Uploader } from "./uploader.ts";

/** Of one push: small enough that its reply comes soon, large enough that round trips do not count. */
const BATCH_RECORDS = 256;
const BATCH_BYTES = 1024 * 1024;

/** What a record weighs in a batch beside its content: most are smaller. */
const RECORD_BYTES = 512;

/**
 * A record was frozen with a content that is nowhere any more, and the server has not got it: it can
 * never be sent as it is. Under a new peer id it is unsent again.
 */
export class ContentLostError extends IzoError {
  constructor(recno: Recno, sha256: Sha256) {
    super(
      "content-lost",
      `Cannot send record ${recno}: its content ${sha256} was overwritten before the server had it`,
      { recno, sha256 },
    );
  }
}

/** The permits under which own records were made, and who forgets those that were passed on. */
export interface PushedPermits {
  readonly current: readonly PermitFence[];
  /** The server gave it to somebody else: what was made under it is sent without. @returns whether it was known */
  notePassedOn(fence: PermitFence): boolean;
}

export interface PusherOptions {
  readonly replica: LocalReplica;
  readonly remote: Remote;
  readonly cache: CacheExecutor;
  /** Name of this host, for the names of conflict copies. */
  readonly host: string;
  readonly permits?: PushedPermits | undefined;
  readonly onUploaded: () => void;
  readonly onUploadFailed: (error: unknown) => void;
}

export class Pusher {
  readonly #options: PusherOptions;
  readonly #contents: OwnContents;
  readonly #uploader: Uploader;

  constructor(options: PusherOptions) {
    this.#options = options;
    this.#contents = new OwnContents(options.cache);
    this.#uploader = new Uploader({
      remote: options.remote,
      contents: this.#contents,
      onUploaded: options.onUploaded,
      onFailed: options.onUploadFailed,
    });
  }

  /**
   * Sends one batch, if there is anything that can be sent.
   *
   * @param began called before the first byte goes out
   * @returns whether there was
   * @throws ContentLostError; what `Remote` throws
   */
  async push(signal: AbortSignal, began: () => void): Promise<boolean> {
    const { replica, remote, host } = this.#options;
    if (replica.toSend.length === 0) {
      const ready = this.#takeReady(signal);
      if (ready.length > 0) await replica.freeze(ready);
    }
    const batch = this.#takeBatch();
    if (batch.length === 0) return false;
    began();
    const records = batch.map(({ submitted }) => submitted);
    const { peer, received } = replica;
    const permits = this.#options.permits?.current ?? [];
    const contents = this.#inlineContents(batch);
    try {
      const batchOf = { peer, host, received, permits, records, contents };
      const { results } = await remote.push(batchOf, signal);
      if (replica.peer !== peer) return true;
      const last = records[results.length - 1];
      if (last !== undefined) replica.noteReceived(last.origin);
      for (const { sha256 } of contents) this.#contents.forget(sha256);
    } catch (error) {
      if (!(error instanceof RemoteProblemError)) throw error;
      if (error.code === "content-missing") {
        await this.#bringMissing(error.data["missing"], batch, signal);
      } else if (error.code !== "permit-passed-on" || !this.#forgetPermit(error.data)) throw error;
    }
    return true;
  }

  /** A CLOSE was sealed: what was missing for it may be there now. */
  noteSealed(sha256: Sha256): void {
    this.#uploader.noteSealed(sha256);
  }

  /** Waits for what an aborted push left running. */
  async settle(): Promise<void> {
    await this.#uploader.settle();
  }

  /** What can be frozen now, up to the size of a batch. */
  #takeReady(signal: AbortSignal): Optimized[] {
    const { replica } = this.#options;
    let bytes = 0;
    let count = 0;
    const waits = ({ operation }: PendingRecord): boolean => {
      if (count >= BATCH_RECORDS || bytes >= BATCH_BYTES) return true;
      if (operation.opcode === "CLOSE" && !this.#isAvailable(operation as SealedClose, signal))
        return true;
      count += 1;
      bytes += RECORD_BYTES + inlineSize(operation);
      return false;
    };
    const ready = replica.pending.sendable().map((each) => this.#withPresentContent(each));
    return withoutHeld(ready, waits);
  }

  /**
   * A content that its author has overwritten before it was sent is nowhere any more. Its CLOSE then
   * goes with the content that came after it, or with none where the file was removed: what its author
   * left in the end is the same, and nothing waits for ever.
   */
  #withPresentContent(each: Optimized): Optimized {
    const { record } = each;
    if (record?.operation.opcode !== "CLOSE" || record.operation.sha256 === null) return each;
    const close = record.operation as SealedClose;
    const { replica, cache } = this.#options;
    const { visible } = replica;
    if (this.#isStillHere(close)) return each;
    const oid = contentOid(close, visible);
    const content = visible.object(oid) ?? { ...close, sizeBytes: 0, sha256: EMPTY_SHA256 };
    // Being written: its next CLOSE is on its way, and says what there is.
    if (content.sha256 === null || cache.hasWriter(oid)) return each;
    const { sizeBytes, mtimeNs, sha256 } = content;
    const present = { ...close, sizeBytes, mtimeNs, sha256 };
    // What shows is this very content, and the file holds another: its author wrote on in a file that a
    // conflict has parted from it since. That content has a record of its own.
    if (!this.#isStillHere(present)) return { ...each, record: null };
    return { ...each, record: { ...record, operation: present } };
  }

  #isStillHere(close: SealedClose): boolean {
    const { visible } = this.#options.replica;
    if (close.sha256 === EMPTY_SHA256) return true;
    if (close.sizeBytes > MAX_INLINE_BYTES) return !this.#uploader.hasChanged(close.sha256);
    return this.#contents.read(close, visible) !== undefined;
  }

  #isAvailable(close: SealedClose, signal: AbortSignal): boolean {
    const { visible } = this.#options.replica;
    if (close.sha256 === EMPTY_SHA256) return true;
    if (close.sizeBytes <= MAX_INLINE_BYTES)
      return this.#contents.read(close, visible) !== undefined;
    return this.#uploader.isThere(close, visible, signal);
  }

  /** The records go again without it, and are judged like any others. */
  #forgetPermit({ oid, epoch }: Readonly<Record<string, unknown>>): boolean {
    const { permits } = this.#options;
    const fence = permits?.current.find((one) => one.oid === oid && one.epoch === epoch);
    return fence !== undefined && permits!.notePassedOn(fence);
  }

  /** The next frozen records, in the order of their numbers. */
  #takeBatch(): FrozenRecord[] {
    const batch: FrozenRecord[] = [];
    let bytes = 0;
    for (const frozen of this.#options.replica.toSend) {
      bytes += RECORD_BYTES + inlineSize(frozen.submitted.operation);
      if (batch.length >= BATCH_RECORDS || (bytes > BATCH_BYTES && batch.length > 0)) break;
      batch.push(frozen);
    }
    return batch;
  }

  #inlineContents(batch: readonly FrozenRecord[]): InlineContent[] {
    const { visible } = this.#options.replica;
    const contents = new Map<Sha256, Uint8Array>();
    for (const { submitted } of batch) {
      if (inlineSize(submitted.operation) === 0) continue;
      const close = submitted.operation as SealedClose;
      // Not here any more: the server has it, from an earlier push, or says that it has not.
      const bytes = this.#contents.read(close, visible);
      if (bytes !== undefined) contents.set(close.sha256, bytes);
    }
    return Array.from(contents, ([sha256, bytes]) => ({ sha256, bytes }));
  }

  /** The server has not got contents that it had, or that an earlier process had sent along. */
  async #bringMissing(
    missing: unknown,
    batch: readonly FrozenRecord[],
    signal: AbortSignal,
  ): Promise<void> {
    const { visible } = this.#options.replica;
    const hashes = new Set<unknown>(Array.isArray(missing) ? missing : []);
    for (const { submitted } of batch) {
      const { operation, origin } = submitted;
      if (operation.opcode !== "CLOSE" || operation.sha256 === null) continue;
      if (!hashes.has(operation.sha256)) continue;
      const close = operation as SealedClose;
      this.#uploader.forget(close.sha256);
      // oxlint-disable-next-line no-await-in-loop -- rare, and the batch needs all of them anyway
      const isUploaded = await this.#uploader.upload(close, visible, signal);
      if (!isUploaded) throw new ContentLostError(origin.recno, close.sha256);
    }
  }
}

/** Bytes that travel with a record inside its push. */
function inlineSize(operation: PendingRecord["operation"]): number {
  const isInline = operation.opcode === "CLOSE" && operation.sizeBytes <= MAX_INLINE_BYTES;
  return isInline ? operation.sizeBytes : 0;
}
