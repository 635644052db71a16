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
  type ChangeSet,
  type FrozenRecord,
  type InlineContent,
  IzoError,
  type PermitFence,
  type Recno,
  type Sha256,
} from "@izo/core";

import type { CacheExecutor } from "../cache-executor.ts";
import type { RemovalHold } from "../hold/removal-hold.ts";
import type { ScopeHold } from "../hold/scope-hold.ts";
import { RemoteProblemError } from "../remote-error.ts";
import type { Remote } from "../remote.ts";
import type { LocalReplica } from "../replica/local-replica.ts";
import { BATCH_BYTES, BATCH_RECORDS, inlineSize, RECORD_BYTES } from "./batch-size.ts";
import { OwnContents, sealedClose } from "./own-contents.ts";
import type { PushWait } from "./push-waits.ts";
import { ReadyRecords } from "./ready-records.ts";
import { Uploader } from "./uploader.ts";

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
  readonly remote: Pick<Remote, "push" | "upload">;
  readonly cache: CacheExecutor;
  /** Makes the cache show what freezing has changed in the visible tree. */
  readonly show: (changes: ChangeSet) => void;
  /** Name of this host, for the names of conflict copies. */
  readonly host: string;
  readonly permits?: PushedPermits | undefined;
  readonly removals: RemovalHold;
  readonly scope: ScopeHold;
  readonly onUploaded: () => void;
  readonly onUploadFailed: (error: unknown) => void;
}

export class Pusher {
  readonly #options: PusherOptions;
  readonly #contents: OwnContents;
  readonly #uploader: Uploader;
  readonly #ready: ReadyRecords;
  /** Contents that were missing, and brought, since a push was last taken. */
  readonly #brought = new Set<Sha256>();

  constructor(options: PusherOptions) {
    this.#options = options;
    this.#contents = new OwnContents(options.cache);
    this.#uploader = new Uploader({
      remote: options.remote,
      contents: this.#contents,
      peer: () => options.replica.peer,
      onUploaded: options.onUploaded,
      onFailed: options.onUploadFailed,
    });
    const { replica, cache, removals, scope } = options;
    const [contents, uploader] = [this.#contents, this.#uploader];
    this.#ready = new ReadyRecords({ replica, cache, contents, uploader, removals, scope });
  }

  /**
   * Sends one batch, if there is anything that can be sent.
   *
   * @param began called before the first byte goes out
   * @returns whether there was
   * @throws ContentLostError; what `Remote` throws
   */
  async push(signal: AbortSignal, began: () => void): Promise<boolean> {
    const { replica, remote, host, removals } = this.#options;
    if (replica.pendingCount === 0) removals.noteAllSent();
    while (replica.toSend.length === 0) {
      // oxlint-disable-next-line no-await-in-loop -- until there is something to send, or nothing to freeze
      const ready = await this.#ready.take(signal);
      if (ready.length === 0) break;
      // oxlint-disable-next-line no-await-in-loop
      await replica.freeze(ready, this.#options.show);
    }
    const batch = this.#takeBatch();
    if (batch.length === 0) return false;
    began();
    const records = batch.map(({ submitted }) => submitted);
    const { peer, received } = replica;
    const permits = this.#options.permits?.current ?? [];
    const contents = this.#inlineContents(batch);
    try {
      const { isAnswered: isRemovalConfirmed } = this.#options.removals;
      const batchOf = { peer, host, received, permits, records, contents, isRemovalConfirmed };
      const { results } = await remote.push(batchOf, signal);
      if (replica.peer !== peer) return true;
      this.#brought.clear();
      const last = records[results.length - 1];
      if (last !== undefined) replica.noteReceived(last.origin);
      for (const { sha256 } of contents) this.#contents.forget(sha256);
    } catch (error) {
      if (!(error instanceof RemoteProblemError)) throw error;
      if (error.code === "mass-removal") this.#options.removals.noteRefused();
      if (error.code === "content-missing") {
        await this.#bringMissing(error, batch, signal);
        // Nothing has got through yet: what is refused again counts as one failure more.
        return await this.push(signal, began);
      }
      if (error.code !== "permit-passed-on" || !this.#forgetPermit(error.data)) throw error;
    }
    return true;
  }

  /** A CLOSE was sealed: what was missing for it may be there now. */
  noteSealed(sha256: Sha256): void {
    this.#uploader.noteSealed(sha256);
  }

  /** Why own records were not sent that could be: the first for each reason. */
  waits(): PushWait[] {
    return this.#ready.waits();
  }

  /** Waits for what an aborted push left running. */
  async settle(): Promise<void> {
    await this.#uploader.settle();
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
    const contents = new Map<Sha256, Uint8Array>();
    for (const { submitted } of batch) {
      const close = sealedClose(submitted.origin.recno, submitted.operation);
      if (close === undefined || inlineSize(close.operation) === 0) continue;
      // Not here any more: the server has it, from an earlier push, or says that it has not.
      const bytes = this.#contents.read(close);
      if (bytes !== undefined) contents.set(close.operation.sha256, bytes);
    }
    return Array.from(contents, ([sha256, bytes]) => ({ sha256, bytes }));
  }

  /**
   * The server has not got contents that it had, or that an earlier process had sent along.
   *
   * @throws `refusal` where the batch has nothing to bring that was not brought just now
   */
  async #bringMissing(
    refusal: RemoteProblemError,
    batch: readonly FrozenRecord[],
    signal: AbortSignal,
  ): Promise<void> {
    const missing = refusal.data["missing"];
    const hashes = new Set<unknown>(Array.isArray(missing) ? missing : []);
    const before = new Set(this.#brought);
    this.#brought.clear();
    for (const { submitted } of batch) {
      const close = sealedClose(submitted.origin.recno, submitted.operation);
      if (close === undefined || !hashes.has(close.operation.sha256)) continue;
      const { sha256 } = close.operation;
      if (before.has(sha256)) continue;
      this.#uploader.forget(sha256);
      // oxlint-disable-next-line no-await-in-loop -- rare, and the batch needs all of them anyway
      const isUploaded = await this.#uploader.upload(close, signal);
      if (!isUploaded) throw new ContentLostError(close.recno, sha256);
      this.#brought.add(sha256);
    }
    if (this.#brought.size === 0) throw refusal;
  }
}
